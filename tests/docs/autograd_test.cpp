// The code of docs/autograd.md: the page quotes it (quotes_test.cpp holds page and code together), and here it runs.
#include <doctest/doctest.h>

#include <functional>
#include <set>

#include "layers/loss.h"
#include "models/sample_cnn.h"
#include "optim/adam.h"
#include "tensor/autograd.h"
#include "tensor/checkpoint.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/reduce.h"
#include "tensor/ops/unary.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad::test {
namespace {

Tensor number(double value) {
  return Tensor::from(std::vector<double>{value}, {1});
}

TEST_CASE("one weight") {
  const Tensor x = number(2), t = number(5);
  Tensor w = number(3);
  w.set_requires_grad();

  const Tensor y = w * x;             // 6
  const Tensor loss = square(y - t);  // (6 - 5)² = 1
  loss.backward();

  CHECK(loss.item() == 1);
  CHECK(w.grad().item() == 4);
}

TEST_CASE("a step downhill") {
  const Tensor x = number(2), t = number(5);
  Tensor w = number(3);
  w.set_requires_grad();
  const auto loss_of = [&] { return square(w * x - t); };
  loss_of().backward();
  w.mutable_data<double>()[0] -= 0.1 * w.grad().item();  // 3 - 0.1 · 4
  CHECK(w.item() == doctest::Approx(2.6));
  CHECK(loss_of().item() == doctest::Approx(0.04));  // it was 1
}

TEST_CASE("a tensor used twice") {
  Tensor x = number(3);
  x.set_requires_grad();
  const Tensor y = x * x;        // 9
  const Tensor a = scale(y, 2);  // 18
  const Tensor b = y + x;        // 12
  const Tensor z = a * b;        // 216 = 2x⁴ + 2x³
  z.backward();
  CHECK(x.grad().item() == 270);  // 8x³ + 6x²
}

TEST_CASE("leaves add up") {
  Tensor x = number(3);
  x.set_requires_grad();
  (x * x).backward();
  (x * x).backward();
  CHECK(x.grad().item() == 12);  // 6 and 6
  x.zero_grad();
  (x * x).backward();
  CHECK(x.grad().item() == 6);
}

// The operations behind `output`, in the order of the backward pass.
std::string tape_of(const Tensor& output) {
  const auto later = [](const Node* a, const Node* b) { return a->sequence > b->sequence; };
  std::set<const Node*, decltype(later)> waiting{output.node().get()};
  std::string text;
  while (!waiting.empty()) {
    const Node* node = *waiting.begin();
    waiting.erase(waiting.begin());
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", node->operation, node->output_shape.to_string());
    for (const Tensor& input : node->inputs)
      if (input.node() != nullptr) waiting.insert(input.node().get());
  }
  return text;
}

TEST_CASE("the tape, printed") {
  Tensor w = number(3);
  w.set_requires_grad();
  const Tensor loss = square(w * number(2) - number(5));
  CHECK(tape_of(loss) == "square (1), subtract (1), multiply (1)");
}

TEST_CASE("what is written after the forward pass is refused") {
  Tensor x = number(2), w = number(3);
  w.set_requires_grad();
  const Tensor y = w * x;  // saves both
  x.mutable_data<double>()[0] = 100;
  CHECK_THROWS_WITH_AS(y.backward(),
                       "backward: a tensor of shape (1) that the gradient needs was written after the forward pass",
                       Error);
}

TEST_CASE("off the tape") {
  Tensor x = number(3);
  x.set_requires_grad();
  {
    const NoGrad no_grad;
    CHECK_FALSE((x * x).requires_grad());
  }
  (x * (x * x).detach()).backward();  // x² as a constant
  CHECK(x.grad().item() == 9);
}

Tensor cube(const Tensor& x) {
  const NoGrad no_grad;
  const Tensor y = x * x * x;
  return y;
}

// x³ as an operation of its own.
Tensor recorded_cube(const Tensor& x) {
  return record("cube", cube(x), {x}, [x = Saved(x)](const Tensor& dy, Gradients& gradients) {
    gradients.set(0, scale(x.get() * x.get() * dy, 3));  // d(x³)/dx · dy
  });
}

TEST_CASE("a new operation, checked") {
  check_gradients("cube", [](const std::vector<Tensor>& in) { return recorded_cube(in[0]); },
                  {uniform_tensor({2, 3}, 1)});
}

TEST_CASE("a slope by differences") {
  const auto f = [](double x) { return x * x * x; };
  const double h = 1e-5;
  const double slope = (f(2 + h) - f(2 - h)) / (2 * h);
  CHECK(slope == doctest::Approx(12).epsilon(1e-9));  // 3x²
}

// A SampleCNN of five modules, small enough for a test: 3⁶ samples.
struct Tagger {
  Sequential network = sample_mn({.classes = 4, .depth = 5});
  Tensor clips = Tensor::full({2, 729, 1}, 0.1);
  Tensor tags = Tensor::from(std::vector<float>{1, 0, 0, 1, 0, 0, 1, 0}, {2, 4});
  LossOptions options{.loss = Loss::binary_cross_entropy};

  Tagger() {
    network.build({729, 1}, {.seed = 1});
    int i = 0;
    for (float& sample : clips.mutable_data<float>()) sample = static_cast<float>(++i % 13) / 13;
  }
};

TEST_CASE("one step of SampleCNN") {
  Tagger tagger;
  auto& [network, clips, tags, options] = tagger;
  Adam adam(as_parameters(network.parameters()), {.learning_rate = 1e-3});
  const auto step = [&] {
    const Tensor logits = network.pre_activation(clips, {.training = true, .seed = 1, .step = 0});
    const Tensor loss = compute_loss(options, logits, network.activation(), tags);
    adam.zero_grad();
    loss.backward();
    adam.step();
    return loss.item();
  };
  const double first = step();
  CHECK(step() < first);
}

TEST_CASE("the end of SampleCNN's tape") {
  Tagger tagger;
  auto& [network, clips, tags, options] = tagger;
  const Tensor logits = network.pre_activation(clips, {.training = true});
  const std::string tape = tape_of(compute_loss(options, logits, network.activation(), tags));
  CHECK(tape.starts_with(
      "mean (), reshape (2), mean (2, 1), element_loss (2, 4), add_bias (2, 4), matmul (2, 4), reshape (2, 512), "
      "dropout (2, 1, 512), activation (2, 1, 512), batch_norm_train (2, 1, 512), "));
}

// Bytes at the most during a forward and a backward pass, beside what was there before.
int64_t peak_of(const std::function<Tensor()>& forward) {
  const int64_t before = arena(Device::cpu).statistics().in_use;
  arena(Device::cpu).reset_peak();
  forward().backward();
  return arena(Device::cpu).statistics().peak_in_use - before;
}

TEST_CASE("memory for time") {
  const Tensor x = Tensor::full({1 << 16}, 0.5).set_requires_grad();
  const auto eight = [](const std::vector<Tensor>& in) {
    Tensor y = in[0];
    for (int i = 0; i < 8; ++i) y = square(y);
    return y;
  };
  const int64_t kept = peak_of([&] {
    Tensor y = x;
    for (int segment = 0; segment < 8; ++segment) y = eight({y});
    return sum(y);
  });
  const int64_t computed_again = peak_of([&] {
    Tensor y = x;
    for (int segment = 0; segment < 8; ++segment) y = checkpoint(eight, {y});
    return sum(y);
  });
  CHECK(kept > 3 * computed_again);
}

TEST_CASE("looking inside") {
  Tensor x = number(3);
  x.set_requires_grad();
  const Tensor y = x * x;
  double seen = 0;
  on_gradient(y, [&](const Tensor& dy) { seen = dy.item(); });
  const std::vector<Tensor> gradients = grad(scale(y, 5), {y, x});
  CHECK(seen == 5);
  CHECK(gradients[0].item() == 5);
  CHECK(gradients[1].item() == 30);
  CHECK_FALSE(x.grad().defined());

  const AnomalyCheck check;
  CHECK_THROWS_WITH_AS(sqrt(x - number(4)), "sqrt: the output (1) has a NaN", Error);
}

}  // namespace
}  // namespace melgrad::test
