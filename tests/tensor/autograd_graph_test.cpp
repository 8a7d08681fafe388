// Whole graphs: memory, depth, and random ones against finite differences.
#include <doctest/doctest.h>

#include "kernels/philox.h"
#include "tensor/autograd.h"
#include "tensor/ops/activation.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/matmul.h"
#include "tensor/ops/reduce.h"
#include "tensor/ops/reshape.h"
#include "tensor/ops/softmax.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad {
namespace {

using test::check_gradients;
using test::nonzero_tensor;
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

// A function of a few leaves drawn from `seed`: each step applies a random operation to what is there, mostly to what
// is new, so that graphs get deep and share much.
Tensor random_graph(uint64_t seed, int depth, const std::vector<Tensor>& leaves) {
  Generator random(seed, Draw::test, 77);
  std::vector<Tensor> pool = leaves;
  const auto pick = [&] {
    const auto count = static_cast<uint32_t>(pool.size());
    return pool[random.below(2) == 0 ? count - 1 - random.below(std::min(count, 3u)) : random.below(count)];
  };
  // Keeps numbers near 1 and off zero, where a quotient or a product of many would leave the range.
  const auto tame = [](const Tensor& t) {
    return add(scale(divide(t, add(Tensor::full({}, 1, DType::f64), multiply(t, t))), 0.8),
               Tensor::full({}, 1, DType::f64));
  };
  for (int i = 0; i < depth; ++i) {
    const Tensor a = pick(), b = pick();
    const int64_t axis = random.below(2);
    switch (random.below(10)) {
      case 0:
        pool.push_back(add(a, b));
        break;
      case 1:
        pool.push_back(subtract(a, b));
        break;
      case 2:
        pool.push_back(multiply(a, b));
        break;
      case 3:
        pool.push_back(divide(a, tame(b)));
        break;
      case 4:
        pool.push_back(scale(a, random.uniform(-1.5, 1.5)));
        break;
      case 5:
        pool.push_back(multiply(b, mean(a, {axis})));
        break;
      case 6:
        pool.push_back(softmax(a));
        break;
      case 7:
        pool.push_back(relu(a));  // off its kink: leaves are, and the rest is positive
        break;
      case 8:
        pool.push_back(add(sum(a, {axis}), b));
        break;
      default:
        pool.push_back(
            matmul(tame(reshape(a, {a.shape()[0], a.shape()[1]})), Tensor::full({a.shape()[1], 3}, 0.3, DType::f64)));
        break;
    }
    pool.back() = tame(pool.back());
  }
  // All that was made, so that no leaf is left out.
  Tensor total = mean(pool[0]);
  for (std::size_t i = 1; i < pool.size(); ++i)
    total = add(total, scale(mean(pool[i]), 1.0 + 0.1 * static_cast<double>(i)));
  return total;
}

TEST_CASE("random graphs agree with finite differences") {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const int depth = 1 + static_cast<int>(seed % 12);
    check_gradients(
        fmt::format("random graph {} of depth {}", seed, depth),
        [&](const std::vector<Tensor>& leaves) { return random_graph(seed, depth, leaves); },
        {nonzero_tensor({2, 3}, 1), nonzero_tensor({1, 3}, 2), nonzero_tensor({2, 1}, 3), nonzero_tensor({1, 1}, 4)});
  }
}

}  // namespace
}  // namespace melgrad
