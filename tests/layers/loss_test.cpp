// Losses against PyTorch and Keras (tests/golden/make_layer_cases.py): labels hard and soft, weights, reductions, extremes.
#include "layers/loss.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tensor/autograd.h"
#include "tensor/io/safetensors.h"
#include "tensor/ops/activation.h"
#include "tensor/ops/loss.h"
#include "tests/layers/trace.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad {
namespace {

using test::all_close;
using test::values_of;
using Values = std::vector<double>;

const std::map<std::string, Tensor>& golden() {
  static const TensorFile file = load_safetensors(std::filesystem::path(MELGRAD_TEST_DATA) / "layer_cases.safetensors");
  return file.tensors;
}

constexpr double f32 = 1e-6;  // Keras works in float32, whatever it is given

struct LossCase {
  std::string name;
  LossOptions options;
  ActivationFunction activation = ActivationFunction::softmax;
  bool sample_weights = false;
  double tolerance = 1e-12;
};

TEST_CASE("losses and their gradients are PyTorch's and Keras's") {
  const Values classes = values_of(golden().at("loss/class_weights"));
  constexpr auto sigmoid = ActivationFunction::sigmoid, linear = ActivationFunction::linear;
  constexpr auto binary = Loss::binary_cross_entropy;
  const LossCase cases[] = {
      {"hard_mean", {}},
      {"hard_sum", {.reduction = LossReduction::sum}},
      {"hard_mean", {}, linear},  // logits all the same
      {"soft_mean", {}},
      {"soft_sum", {.reduction = LossReduction::sum}},
      {"binary_mean", {.loss = binary}, sigmoid},
      {"binary_sum", {.loss = binary, .reduction = LossReduction::sum}, sigmoid},
      {"binary_mean", {.loss = binary}, linear},
      {"mse_mean", {.loss = Loss::mse}, linear},
      {"mse_sum", {.loss = Loss::mse, .reduction = LossReduction::sum}, linear},
      {"hard_class_weights", {.reduction = LossReduction::weighted_mean, .class_weights = classes}},
      {"soft_class_weights", {.class_weights = classes}},
      {"scaled", {.target_scale = TargetScale::sum_to_one}},
      {"keras_sample_weights", {}, ActivationFunction::softmax, true, f32},
      {"keras_softmax", {}, ActivationFunction::softmax, false, f32},
      {"keras_sigmoid", {.loss = binary}, sigmoid, false, f32},
      {"keras_mse_weights", {.loss = Loss::mse}, linear, true, f32},
      {"binary_extreme", {.loss = binary}, sigmoid},
  };
  for (const LossCase& c : cases) {
    for (DType dtype : {DType::f64, DType::f32}) {
      INFO(c.name, " in ", name_of(dtype));
      const auto expected = [&](const char* what) { return golden().at("loss/" + c.name + "/" + what); };
      const Tensor targets = expected("targets");
      const Tensor x = test::as(dtype, expected("x")).set_requires_grad();
      const Tensor weights = test::as(dtype, golden().at("loss/sample_weights"));
      const Tensor loss =
          compute_loss(c.options, x, c.activation, targets.dtype() == DType::i32 ? targets : test::as(dtype, targets),
                       c.sample_weights ? weights : Tensor());
      const double tolerance = dtype == DType::f64 ? c.tolerance : 1e-6;
      CHECK(all_close({loss.item()}, values_of(expected("value")), tolerance));
      loss.backward();
      CHECK(all_close(values_of(x.grad()), values_of(expected("dx")), tolerance));
    }
  }
}

TEST_CASE("a row of zeros has loss 0 and no gradient") {
  const Tensor logits = Tensor::from(Values{1, 2, 3, 4, 5, 6}, {2, 3}).set_requires_grad();
  const Tensor targets = Tensor::from(Values{0, 0, 0, 1, 0, 1}, {2, 3});
  for (TargetScale scale : {TargetScale::as_given, TargetScale::sum_to_one}) {
    for (const Values& weights : {Values{}, Values{2, 1, 0.5}}) {
      logits.grad().defined() ? Tensor(logits).zero_grad() : void();
      const LossOptions options{.reduction = LossReduction::sum, .target_scale = scale, .class_weights = weights};
      const Tensor both = compute_loss(options, logits, ActivationFunction::softmax, targets);
      both.backward();
      const Values gradient = values_of(logits.grad());
      CHECK(Values(gradient.begin(), gradient.begin() + 3) == Values{0, 0, 0});
      CHECK(gradient[3] != 0);
      const Tensor second = Tensor::from(Values{4, 5, 6}, {1, 3}), last = Tensor::from(Values{1, 0, 1}, {1, 3});
      CHECK(both.item() == compute_loss(options, second, ActivationFunction::softmax, last).item());
    }
  }
}

TEST_CASE("binary cross-entropy is exact at ±100, from logits and from a network's sigmoid") {
  for (DType dtype : {DType::f64, DType::f32}) {
    const Tensor logits = test::as(dtype, Tensor::from(Values{100, -100, 100, -100}, {1, 4})).set_requires_grad();
    const Tensor targets = test::as(dtype, Tensor::from(Values{1, 0, 0, 1}, {1, 4}));
    const LossOptions options{.loss = Loss::binary_cross_entropy};
    const Tensor loss = compute_loss(options, logits, ActivationFunction::sigmoid, targets);
    CHECK(loss.item() == doctest::Approx(50));
    loss.backward();
    CHECK(all_close(values_of(logits.grad()), {0, 0, 0.25, -0.25}, 1e-12));
    // From the values of a sigmoid, which are 0 and 1 here: held to 1e-7 as Keras holds them, and finite.
    const Tensor losses =
        element_loss(ElementLoss::binary_cross_entropy, activation(Activation::sigmoid, logits), targets);
    for (double value : values_of(losses)) CHECK(std::isfinite(value));
    CHECK(values_of(losses)[2] == doctest::Approx(-std::log(1e-7)).epsilon(0.02));
  }
}

TEST_CASE("class weights of labels and of one-hot rows are the same weights") {
  const Tensor logits = test::uniform_tensor({5, 3}, 1);
  const Tensor labels = Tensor::from(std::vector<int32_t>{0, 2, 1, 2, 0}, {5});
  const Tensor rows = one_hot(labels, 3, DType::f64);
  for (LossReduction reduction : {LossReduction::mean, LossReduction::sum}) {
    const LossOptions options{.reduction = reduction, .class_weights = {0.5, 2, 3}};
    const double hard = compute_loss(options, logits, ActivationFunction::softmax, labels).item();
    CHECK(hard ==
          doctest::Approx(compute_loss(options, logits, ActivationFunction::softmax, rows).item()).epsilon(1e-12));
  }
  CHECK_THROWS_WITH_AS(one_hot(labels, 2, DType::f64), "one_hot: label 2 of 2 classes", Error);
}

double loss_of(const LossOptions& options, const Tensor& x, ActivationFunction activation, const Tensor& targets,
               const Tensor& sample_weights = {}) {
  return compute_loss(options, x, activation, targets, sample_weights).item();
}

TEST_CASE("weights of classes go on targets that were scaled to a sum of 1, by hand") {
  // softmax of (0, ln 3) is (1/4, 3/4)
  const Tensor logits = Tensor::from(Values{0, std::log(3.0), 0, 0, 0, std::log(3.0)}, {3, 2});
  const Tensor targets = Tensor::from(Values{2, 6, 1, 3, 4, 0}, {3, 2});  // scaled: 1/4 and 3/4 twice, 1 and 0
  const double expected =
      0.25 * 2 * std::log(4) - 0.75 * 0.5 * std::log(0.75) + (0.5 + 0.375) * std::log(2) + 2 * std::log(4);
  const LossOptions options{
      .reduction = LossReduction::sum, .target_scale = TargetScale::sum_to_one, .class_weights = {2, 0.5}};
  for (DType dtype : {DType::f64, DType::f32})
    CHECK(loss_of(options, test::as(dtype, logits), ActivationFunction::softmax, test::as(dtype, targets)) ==
          doctest::Approx(expected).epsilon(1e-6));
  LossOptions as_given = options;
  as_given.target_scale = TargetScale::as_given;
  const double given =
      2 * 2 * std::log(4) - 6 * 0.5 * std::log(0.75) + (1 * 2 + 3 * 0.5) * std::log(2) + 4 * 2 * std::log(4);
  CHECK(loss_of(as_given, logits, ActivationFunction::softmax, targets) == doctest::Approx(given).epsilon(1e-12));
}

TEST_CASE("weights of outputs, of classes and of samples, by hand") {
  const Tensor x = Tensor::from(Values{1, 2, 3, 5}, {2, 2}), zeros = Tensor::zeros({2, 2}, DType::f64);
  CHECK(loss_of({.loss = Loss::mse, .class_weights = {2, 0.5}}, x, ActivationFunction::linear, zeros) ==
        doctest::Approx(((2 * 1 + 0.5 * 4) / 2 + (2 * 9 + 0.5 * 25) / 2) / 2).epsilon(1e-12));
  const Tensor labels = Tensor::from(std::vector<int32_t>{0, 1}, {2}), samples = Tensor::from(Values{3, 1}, {2});
  const double ln2 = std::log(2.0);
  LossOptions options{.reduction = LossReduction::sum, .class_weights = {2, 0.5}};
  CHECK(loss_of(options, zeros, ActivationFunction::softmax, labels, samples) ==
        doctest::Approx(6.5 * ln2).epsilon(1e-12));
  options.reduction = LossReduction::weighted_mean;
  CHECK(loss_of(options, zeros, ActivationFunction::softmax, labels, samples) == doctest::Approx(ln2).epsilon(1e-12));
  // With nothing to weight by it is the mean.
  CHECK(loss_of({.reduction = LossReduction::weighted_mean}, zeros, ActivationFunction::softmax, labels) ==
        doctest::Approx(ln2).epsilon(1e-12));
}

TEST_CASE("a loss sees the values of any function that it does not contain") {
  const Tensor x = Tensor::from(Values{-1, std::log(3.0)}, {1, 2});  // ReLU: 0 and ln 3
  CHECK(loss_of({}, x, ActivationFunction::relu, Tensor::from(std::vector<int32_t>{1}, {1})) ==
        doctest::Approx(-std::log(0.75)).epsilon(1e-12));
  const Tensor targets = Tensor::from(Values{0, 1}, {1, 2});
  const LossOptions binary{.loss = Loss::binary_cross_entropy};
  CHECK(loss_of(binary, x, ActivationFunction::relu, targets) ==
        doctest::Approx((std::log(2.0) - std::log(0.75)) / 2).epsilon(1e-12));
  const Tensor logits = Tensor::from(Values{0, std::log(3.0)}, {1, 2});  // softmax: 1/4 and 3/4
  CHECK(loss_of(binary, logits, ActivationFunction::softmax, targets) ==
        doctest::Approx(-std::log(0.75)).epsilon(1e-12));
}

TEST_CASE("one-hot rows take the type asked for") {
  const Tensor labels = Tensor::from(std::vector<int32_t>{2, 0}, {2});
  for (DType dtype : {DType::f64, DType::f32}) {
    const Tensor rows = one_hot(labels, 3, dtype);
    CHECK(rows.dtype() == dtype);
    CHECK(rows.shape() == Shape{2, 3});
    CHECK(values_of(rows) == Values{0, 0, 1, 1, 0, 0});
  }
}

TEST_CASE("losses refuse what means nothing") {
  const Tensor x = Tensor::zeros({2, 3}), rows = Tensor::zeros({2, 3}), labels = Tensor::zeros({2}, DType::i32);
  constexpr auto softmax = ActivationFunction::softmax;
  CHECK_THROWS_AS(compute_loss({}, x, ActivationFunction::sigmoid, labels), Error);
  CHECK_THROWS_AS(compute_loss({.loss = Loss::mse}, x, softmax, labels), Error);
  CHECK_THROWS_AS(compute_loss({}, x, softmax, Tensor::zeros({3}, DType::i32)), Error);
  CHECK_THROWS_AS(compute_loss({}, x, softmax, Tensor::zeros({2, 2})), Error);
  CHECK_THROWS_WITH_AS(compute_loss({.class_weights = {1, 2}}, x, softmax, rows), "loss: 2 class weights for 3 classes",
                       Error);
  CHECK_THROWS_WITH_AS(compute_loss({}, x, softmax, labels, Tensor::zeros({3})),
                       "loss: sample weights are (3), expected (2)", Error);
}

}  // namespace
}  // namespace melgrad
