// Optimizers against Keras and PyTorch (tests/golden/make_layer_goldens.py), and their state.
#include "optim/optimizer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <memory>

#include "kernels/philox.h"
#include "tensor/io/safetensors.h"
#include "tests/optim/make_optimizer.h"
#include "tests/temporary_folder.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad {
namespace {

using test::adadelta;
using test::adam;
using test::all_close;
using test::MakeOptimizer;
using test::rmsprop;
using test::sgd;
using test::values_of;
using Values = std::vector<double>;

constexpr auto keras = OptimizerVariant::keras;
constexpr auto pytorch = OptimizerVariant::pytorch;

struct Case {
  std::string name;
  double learning_rate;
  MakeOptimizer make;
};

const Case cases[] = {
    {"keras_sgd", 0.1, sgd({.variant = keras})},
    {"keras_sgd_momentum", 0.1, sgd({.momentum = 0.9, .variant = keras})},
    {"keras_sgd_nesterov", 0.1, sgd({.momentum = 0.9, .nesterov = true, .variant = keras})},
    {"keras_adam", 1e-2, adam({.variant = keras})},
    {"keras_adam_options", 1e-2, adam({.beta1 = 0.8, .beta2 = 0.95, .epsilon = 0.01, .variant = keras})},
    {"pytorch_sgd", 0.1, sgd({.variant = pytorch})},
    {"pytorch_sgd_momentum", 0.1, sgd({.momentum = 0.9, .variant = pytorch})},
    {"pytorch_sgd_nesterov", 0.1, sgd({.momentum = 0.9, .nesterov = true, .variant = pytorch})},
    {"pytorch_sgd_decay", 0.1, sgd({.momentum = 0.9, .l2 = 0.05, .variant = pytorch})},
    {"pytorch_sgd_nesterov_decay", 0.1, sgd({.momentum = 0.9, .nesterov = true, .l2 = 0.05, .variant = pytorch})},
    {"pytorch_adam", 1e-2, adam({.epsilon = 1e-8, .variant = pytorch})},
    {"pytorch_adam_options", 1e-2,
     adam({.beta1 = 0.8, .beta2 = 0.95, .epsilon = 0.01, .l2 = 0.05, .variant = pytorch})},
};

// Every method and every kind of state, for what holds of all of them.
const Case methods[] = {
    {"sgd", 0.1, sgd({})},
    {"sgd with momentum", 0.1, sgd({.momentum = 0.9})},
    {"sgd with nesterov", 0.1, sgd({.momentum = 0.9, .nesterov = true, .variant = pytorch})},
    {"adam", 1e-2, adam({})},
    {"amsgrad", 1e-2, adam({.amsgrad = true})},
    {"adamw", 1e-2, adam({.weight_decay = 0.1, .variant = pytorch})},
    {"adadelta", 1, adadelta({})},
    {"rmsprop", 1e-2, rmsprop({})},
    {"centred rmsprop with momentum", 1e-2, rmsprop({.momentum = 0.9, .centred = true, .variant = pytorch})},
};

Tensor as(DType dtype, const Tensor& tensor) {
  const Values values = values_of(tensor);
  if (dtype == DType::f64) return Tensor::from(values, tensor.shape());
  return Tensor::from(std::vector<float>(values.begin(), values.end()), tensor.shape());
}

TEST_CASE("optimizers follow Keras and PyTorch, through a change of the learning rate") {
  const auto golden = load_safetensors(std::filesystem::path(MELGRAD_TEST_DATA) / "optimizers.safetensors").tensors;
  for (const Case& c : cases) {
    for (DType dtype : {DType::f64, DType::f32}) {
      INFO(c.name, " in ", name_of(dtype));
      std::vector<Parameter> parameters;
      for (const char* name : {"0", "1"})
        parameters.push_back({name, as(dtype, golden.at(std::string("initial/") + name)).set_requires_grad()});
      const auto optimizer = c.make(parameters);
      for (int step = 0; step < 5; ++step) {
        optimizer->set_learning_rate(step < 3 ? c.learning_rate : c.learning_rate / 2);
        optimizer->zero_grad();
        for (Parameter& parameter : parameters)
          parameter.tensor.set_grad(as(dtype, golden.at(fmt::format("gradient/{}/{}", step, parameter.name))));
        optimizer->step();
      }
      CHECK(optimizer->steps() == 5);
      for (const Parameter& parameter : parameters) {
        CHECK(all_close(values_of(parameter.tensor), values_of(golden.at(c.name + "/" + parameter.name)),
                        dtype == DType::f64 ? 1e-12 : 2e-6));
      }
    }
  }
}

// A weight of 3 after one step by `gradient`.
double stepped(const MakeOptimizer& make, double gradient, double rate_scale = 1, double decay_scale = 1) {
  Tensor weight = Tensor::full({1}, 3, DType::f64).set_requires_grad();
  weight.set_grad(Tensor::full({1}, gradient, DType::f64));
  make({{"w", weight, rate_scale, decay_scale}})->step();
  return weight.item();
}

TEST_CASE("l2 is added to the gradient, weight decay is taken from the weight") {
  struct Penalised {
    const char* name;
    MakeOptimizer plain, l2, decaying;
  };
  const Penalised all[] = {
      {"sgd", sgd({.learning_rate = 0.1, .momentum = 0.9}), sgd({.learning_rate = 0.1, .momentum = 0.9, .l2 = 0.2}),
       sgd({.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.2})},
      {"nesterov", sgd({.learning_rate = 0.1, .momentum = 0.9, .nesterov = true}),
       sgd({.learning_rate = 0.1, .momentum = 0.9, .nesterov = true, .l2 = 0.2}),
       sgd({.learning_rate = 0.1, .momentum = 0.9, .nesterov = true, .weight_decay = 0.2})},
      {"adam", adam({.learning_rate = 0.1, .epsilon = 1}), adam({.learning_rate = 0.1, .epsilon = 1, .l2 = 0.2}),
       adam({.learning_rate = 0.1, .epsilon = 1, .weight_decay = 0.2})},
      {"adadelta", adadelta({.learning_rate = 0.1, .epsilon = 1}),
       adadelta({.learning_rate = 0.1, .epsilon = 1, .l2 = 0.2}),
       adadelta({.learning_rate = 0.1, .epsilon = 1, .weight_decay = 0.2})},
      {"rmsprop", rmsprop({.learning_rate = 0.1, .epsilon = 1}),
       rmsprop({.learning_rate = 0.1, .epsilon = 1, .l2 = 0.2}),
       rmsprop({.learning_rate = 0.1, .epsilon = 1, .weight_decay = 0.2})},
  };
  for (const auto& [name, plain, l2, decaying] : all) {
    INFO(name);
    const double step = 3 - stepped(plain, 0.5);
    CHECK(std::abs(stepped(l2, 0.5) - stepped(plain, 0.5 + 0.2 * 3)) < 1e-12);
    CHECK(std::abs(stepped(l2, 0.5) - stepped(plain, 0.5)) > 1e-6);
    CHECK(std::abs(stepped(decaying, 0.5) - (3 - 0.1 * 0.2 * 3 - step)) < 1e-12);
    // A group of its own: neither, for biases and norms; both by half.
    CHECK(stepped(l2, 0.5, 1, 0) == stepped(plain, 0.5));
    CHECK(stepped(decaying, 0.5, 1, 0) == stepped(plain, 0.5));
    CHECK(std::abs(stepped(l2, 0.5, 1, 0.5) - stepped(plain, 0.5 + 0.1 * 3)) < 1e-12);
    CHECK(std::abs(stepped(decaying, 0.5, 1, 0.5) - (3 - 0.1 * 0.1 * 3 - step)) < 1e-12);
    // The group's rate moves both the step and the decay.
    CHECK(std::abs(stepped(plain, 0.5, 0.5) - (3 - step / 2)) < 1e-12);
    CHECK(std::abs(stepped(decaying, 0.5, 0.5) - (3 - 0.05 * 0.2 * 3 - step / 2)) < 1e-12);
    CHECK(stepped(decaying, 0.5, 0) == 3);
  }
  CHECK(std::abs(stepped(sgd({.learning_rate = 0.1, .weight_decay = 1}), 0) - 2.7) < 1e-12);
}

// Five parameters, and gradients that depend on nothing but the step.
struct Training {
  std::vector<Parameter> parameters;
  std::unique_ptr<Optimizer> optimizer;

  explicit Training(const MakeOptimizer& make) {
    for (int i = 0; i < 5; ++i) {
      Tensor weight = as(DType::f32, test::uniform_tensor({3, i + 1}, static_cast<uint32_t>(i)));
      parameters.push_back({fmt::format("layer_{}.weight", i), weight.set_requires_grad()});
    }
    optimizer = make(parameters);
  }
  void run(int from, int to) {
    for (int step = from; step < to; ++step) {
      optimizer->set_learning_rate(0.01 / (step + 1));
      uint32_t id = 100 * static_cast<uint32_t>(step);
      for (Parameter& parameter : parameters)
        parameter.tensor.set_grad(as(DType::f32, test::uniform_tensor(parameter.tensor.shape(), id++)));
      optimizer->step();
    }
  }
};

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         std::memcmp(a.view().data, b.view().data, static_cast<std::size_t>(a.view().bytes())) == 0;
}

TEST_CASE("a saved and loaded optimizer goes on bit for bit") {
  const test::TemporaryFolder folder;
  for (const Case& c : methods) {
    INFO(c.name);
    Training whole(c.make), first(c.make), second(c.make);
    whole.run(0, 10);
    first.run(0, 4);
    TensorFile file;
    file.tensors = first.optimizer->state();
    for (const Parameter& parameter : first.parameters) file.tensors["weights/" + parameter.name] = parameter.tensor;
    save_safetensors(folder / "state.safetensors", file);

    const TensorFile loaded = load_safetensors(folder / "state.safetensors");
    for (Parameter& parameter : second.parameters) {
      const auto values = loaded.tensors.at("weights/" + parameter.name).data<float>();
      std::copy(values.begin(), values.end(), parameter.tensor.mutable_data<float>().begin());
    }
    second.optimizer->load(first.optimizer->steps(), loaded.tensors, "state.safetensors");
    CHECK(second.optimizer->steps() == 4);
    second.run(4, 10);
    for (std::size_t i = 0; i < whole.parameters.size(); ++i)
      CHECK(same_bits(whole.parameters[i].tensor, second.parameters[i].tensor));
    for (const auto& [name, tensor] : whole.optimizer->state())
      CHECK(same_bits(tensor, second.optimizer->state().at(name)));
  }
}

TEST_CASE("the state has names, and load takes all of it or none") {
  Training training(adam({}));
  CHECK(training.optimizer->state().size() == 10);
  CHECK(training.optimizer->state().count("layer_3.weight.first_moment") == 1);
  CHECK(training.optimizer->state().count("layer_3.weight.second_moment") == 1);
  CHECK(Training(sgd({})).optimizer->state().empty());
  CHECK(Training(sgd({.momentum = 0.5})).optimizer->state().count("layer_0.weight.velocity") == 1);
  CHECK(Training(adam({.amsgrad = true})).optimizer->state().count("layer_0.weight.largest_second_moment") == 1);
  for (const char* kind : {"square", "update"})
    CHECK(Training(adadelta({})).optimizer->state().count(fmt::format("layer_0.weight.{}", kind)) == 1);
  CHECK(Training(rmsprop({})).optimizer->state().size() == 5);
  for (const char* kind : {"square", "mean", "velocity"})
    CHECK(Training(rmsprop({.momentum = 0.5, .centred = true}))
              .optimizer->state()
              .count(fmt::format("layer_0.weight.{}", kind)) == 1);

  Training source(adam({}));
  source.run(0, 3);
  auto state = source.optimizer->state();
  state.erase("layer_4.weight.second_moment");
  CHECK_THROWS_WITH_AS(
      training.optimizer->load(3, state, "some file"),
      "some file: no optimizer state 'layer_4.weight.second_moment'; was it saved by another optimizer?", Error);
  state["layer_4.weight.second_moment"] = Tensor::zeros({3, 4});
  CHECK_THROWS_WITH_AS(training.optimizer->load(3, state, "some file"),
                       "some file: optimizer state 'layer_4.weight.second_moment' is (3, 4), expected (3, 5)", Error);
  state["layer_4.weight.second_moment"] = Tensor::zeros({3, 5}, DType::f64);
  CHECK_THROWS_AS(training.optimizer->load(3, state, "some file"), Error);
  CHECK_THROWS_AS(training.optimizer->load(-1, source.optimizer->state(), "some file"), Error);
  CHECK(training.optimizer->steps() == 0);
  for (const auto& [name, tensor] : training.optimizer->state())
    CHECK(values_of(tensor) == Values(tensor.numel(), 0.0));
}

TEST_CASE("a parameter without a gradient stays, and the step counts") {
  for (const Case& c : methods) {
    Tensor moved = Tensor::full({1}, 3, DType::f64).set_requires_grad();
    Tensor left = Tensor::full({1}, 3, DType::f64).set_requires_grad();
    const auto optimizer = c.make({{"moved", moved}, {"left", left}});
    moved.set_grad(Tensor::full({1}, 1, DType::f64));
    optimizer->step();
    CHECK(moved.item() < 3);
    CHECK(left.item() == 3);
    CHECK(optimizer->steps() == 1);
    optimizer->zero_grad();
    CHECK_FALSE(moved.grad().defined());
    const double before = moved.item();
    optimizer->step();
    CHECK(moved.item() == before);
  }
}

TEST_CASE("optimizers refuse impossible options") {
  const std::vector<Parameter> parameters{{"w", Tensor::zeros({1}).set_requires_grad()}};
  const double nan = std::nan("");
  for (const SgdOptions& options :
       {SgdOptions{.learning_rate = -1}, SgdOptions{.learning_rate = nan}, SgdOptions{.momentum = 1},
        SgdOptions{.momentum = -0.1}, SgdOptions{.momentum = nan}, SgdOptions{.nesterov = true}})
    CHECK_THROWS_AS(sgd(options)(parameters), Error);
  for (const AdamOptions& options :
       {AdamOptions{.learning_rate = -1}, AdamOptions{.beta1 = 1}, AdamOptions{.beta2 = 1}, AdamOptions{.beta1 = nan},
        AdamOptions{.beta2 = -0.5}, AdamOptions{.epsilon = 0}, AdamOptions{.epsilon = nan}})
    CHECK_THROWS_AS(adam(options)(parameters), Error);
  for (const AdadeltaOptions& options :
       {AdadeltaOptions{.learning_rate = -1}, AdadeltaOptions{.rho = 1}, AdadeltaOptions{.rho = nan},
        AdadeltaOptions{.epsilon = 0}, AdadeltaOptions{.l2 = -1}, AdadeltaOptions{.weight_decay = -1}})
    CHECK_THROWS_AS(adadelta(options)(parameters), Error);
  for (const RmspropOptions& options :
       {RmspropOptions{.learning_rate = -1}, RmspropOptions{.rho = 1}, RmspropOptions{.rho = nan},
        RmspropOptions{.momentum = 1}, RmspropOptions{.momentum = nan}, RmspropOptions{.epsilon = 0},
        RmspropOptions{.l2 = nan}, RmspropOptions{.weight_decay = nan}})
    CHECK_THROWS_AS(rmsprop(options)(parameters), Error);
  CHECK_THROWS_WITH_AS(sgd({})({{"w", Tensor::zeros({1})}}), "optimizer: 'w' does not require a gradient", Error);
  CHECK_THROWS_WITH_AS(sgd({})({parameters[0], parameters[0]}), "optimizer: two parameters named 'w'", Error);
  CHECK_THROWS_AS(sgd({})(parameters)->set_learning_rate(nan), Error);
  CHECK(adam({.learning_rate = 0.25})(parameters)->learning_rate() == 0.25);
}

}  // namespace
}  // namespace melgrad
