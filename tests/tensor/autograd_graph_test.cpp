// Whole graphs: memory and depth.
#include <doctest/doctest.h>

#include "tensor/autograd.h"
#include "tensor/ops/activation.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/reduce.h"
#include "tensor/ops/reshape.h"
#include "tensor/ops/softmax.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad {
namespace {

using test::values_of;

int64_t in_use() {
  return arena(Device::cpu).statistics().in_use;
}

TEST_CASE("activations live until backward and no longer") {
  constexpr int64_t size = 1 << 14;
  constexpr int64_t bytes = size * 8;
  Tensor x = Tensor::full({size}, 1.5, DType::f64).set_requires_grad();
  const int64_t before = in_use();
  {
    Tensor y = x;
    for (int i = 0; i < 10; ++i) y = multiply(y, y.detach());
    Tensor loss = mean(y);
    y = Tensor();
    CHECK(in_use() - before >= 10 * bytes);
    loss.backward();
    CHECK(in_use() - before < 2 * bytes);  // the leaf's gradient, and the loss
    CHECK(loss.requires_grad());
  }
  x.zero_grad();
  CHECK(in_use() == before);
  {
    const NoGrad off;
    Tensor y = x;
    for (int i = 0; i < 10; ++i) y = multiply(y, y);
    CHECK(in_use() - before < 2 * bytes);
  }
  {
    const Tensor y = relu(multiply(x, x));  // dropped without a backward pass
  }
  CHECK(in_use() == before);
  // An operation that saves its own output is no cycle.
  for (int i = 0; i < 3; ++i) sum(softmax(relu(reshape(x, {2, size / 2})))).backward();
  x.zero_grad();
  CHECK(in_use() == before);
}

TEST_CASE("backward frees as it goes") {
  constexpr int64_t size = 1 << 14;
  constexpr int64_t bytes = size * 8;
  Tensor x = Tensor::full({size}, 1.0, DType::f64).set_requires_grad();
  const int64_t before = in_use();
  int64_t least = INT64_MAX, most = 0;
  Tensor y = x;
  for (int i = 0; i < 20; ++i) {
    Tensor next = multiply(y, y);
    y = record("watch", next.clone(), {next}, [&](const Tensor& dy, Gradients& gradients) {
      least = std::min(least, in_use() - before);
      most = std::max(most, in_use() - before);
      gradients.set(0, dy);
    });
  }
  Tensor loss = sum(y);
  y = Tensor();
  loss.backward();
  CHECK(most >= 39 * bytes);
  CHECK(least <= 6 * bytes);
}

TEST_CASE("a chain of 100,000 operations does not exhaust the stack") {
  constexpr int length = 100'000;
  Tensor x = Tensor::full({1}, 1, DType::f64).set_requires_grad();
  const Tensor one = Tensor::full({1}, 1, DType::f64);
  const auto chain = [&] {
    Tensor y = x;
    for (int i = 0; i < length; ++i) y = add(y, one);
    return y;
  };
  SUBCASE("dropped after the forward pass") {
    const Tensor y = chain();
    CHECK(y.item() == length + 1);
  }
  SUBCASE("walked backward") {
    chain().backward();
    CHECK(values_of(x.grad()) == std::vector<double>{1});
  }
  SUBCASE("dropped when backward fails at once") {
    Tensor y = chain();
    y = record("broken", y.clone(), {y}, [](const Tensor&, Gradients&) { fail("broken"); });
    CHECK_THROWS_AS(y.backward(), Error);
  }
  SUBCASE("with shared nodes, each of which is walked once") {
    for (bool walked : {false, true}) {
      Tensor y = x;
      for (int i = 0; i < length / 4; ++i) y = add(scale(y, 0.5), scale(y, 0.5));
      if (walked) y.backward();
    }
    CHECK(values_of(x.grad()) == std::vector<double>{1});
  }
}

}  // namespace
}  // namespace melgrad
