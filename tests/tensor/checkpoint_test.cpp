// A checkpointed segment computes what the segment itself does, in less memory and more time.
#include "tensor/checkpoint.h"

#include <doctest/doctest.h>

#include "tensor/autograd.h"
#include "tensor/ops/activation.h"
#include "tensor/ops/batch_norm.h"
#include "tensor/ops/dropout.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/matmul.h"
#include "tensor/ops/reduce.h"
#include "tensor/ops/unary.h"
#include "tensor/tape.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad {
namespace {

using test::check_gradients;
using test::nonzero_tensor;
using test::uniform_tensor;
using test::values_of;
using Tensors = std::vector<Tensor>;
using Values = std::vector<double>;

Tensor leaf(const Tensor& values) {
  return values.clone().set_requires_grad();
}

// The segment as it is, for the other side of a comparison, and checkpointed.
Tensor plain(Segment segment, const Tensors& inputs) {
  return segment(inputs);
}
using Runner = Tensor (*)(Segment, const Tensors&);
constexpr Runner runners[] = {plain, checkpoint};

// The gradients of the leaves after `forward(leaves, runner)` went backward, plain and checkpointed: equal but for the
// order in which terms are added.
template <class Forward>
void check_same_gradients(const Tensors& values, const Forward& forward) {
  std::vector<std::vector<Values>> gradients;
  for (Runner runner : runners) {
    Tensors leaves;
    for (const Tensor& value : values) leaves.push_back(leaf(value));
    const Tensor y = forward(leaves, runner);
    backward(y, nonzero_tensor(y.shape(), 99));
    gradients.emplace_back();
    for (const Tensor& each : leaves) gradients.back().push_back(values_of(each.grad()));
  }
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(test::all_close(gradients[1][i], gradients[0][i], 1e-14));
  for (const Values& each : gradients[0]) CHECK(each != Values(each.size(), 0.0));
}

TEST_CASE("a checkpointed segment has the segment's gradients, through dropout") {
  const auto forward = [](const Tensors& leaves, Runner run) {
    const Tensor weight = leaves[1];  // read by the segment, not among its inputs
    return run(
        [weight](const Tensors& in) {
          const Tensor hidden = dropout(relu(matmul(in[0], weight)), 0.5, Philox{7, Draw::dropout, 1, 2});
          return dropout(square(hidden), 0.25, Philox{7, Draw::dropout, 2, 2});
        },
        {leaves[0]});
  };
  check_same_gradients({uniform_tensor({6, 5}, 1), uniform_tensor({5, 8}, 2)}, forward);
  check_gradients("checkpoint", [&](const Tensors& leaves) { return forward(leaves, checkpoint); },
                  {nonzero_tensor({3, 2}, 1), nonzero_tensor({2, 4}, 2)});
}

TEST_CASE("tensors that a segment shares with what is around it get all their terms") {
  check_same_gradients({nonzero_tensor({3}, 1), nonzero_tensor({3}, 2)}, [](const Tensors& leaves, Runner run) {
    const Tensor x = leaves[0], w = leaves[1];
    const Tensor before = x * w;  // the result of an operation, given twice and read from within besides
    const Tensor y = run([=](const Tensors& in) { return in[0] * in[1] + exp(before) * w + in[0]; }, {before, before});
    return y * before + w * x;
  });
}

TEST_CASE("segments nest, and follow each other") {
  const auto forward = [](const Tensors& leaves, Runner run) {
    const Tensor w = leaves[1];
    const Segment inner = [w](const Tensors& in) { return dropout(exp(in[0] * w), 0.3, Philox{1, Draw::dropout}); };
    const Segment middle = [=](const Tensors& in) { return run(inner, {run(inner, {in[0]}) + w}) * in[0]; };
    const Segment outer = [=](const Tensors& in) { return sqrt(square(run(middle, {scale(in[0], 0.5)})) + w * w); };
    return run(outer, {run(outer, {leaves[0]})});
  };
  check_same_gradients({uniform_tensor({12}, 1, 0.1, 0.5), uniform_tensor({12}, 2, 0.1, 0.5)}, forward);
  check_gradients("nested", [&](const Tensors& leaves) { return forward(leaves, checkpoint); },
                  {uniform_tensor({7}, 1, 0.1, 0.5), uniform_tensor({7}, 2, 0.1, 0.5)});
}

TEST_CASE("a rehearsal gathers each tensor once") {
  const Tensor x = leaf(uniform_tensor({3}, 1)), w = leaf(uniform_tensor({3}, 2)), data = uniform_tensor({3}, 3);
  const Rehearsal rehearsal;
  (void)(x * w * data + x * w);
  REQUIRE(rehearsal.tensors().size() == 2);
  CHECK(rehearsal.tensors()[0].same_as(x));
  CHECK(rehearsal.tensors()[1].same_as(w));
}

TEST_CASE("behind a segment the backward pass goes on off the tape") {
  const Tensor x = leaf(uniform_tensor({3}, 1));
  const Tensor before = square(x);
  bool seen = false;
  on_gradient(before, [&](const Tensor&) {
    seen = true;
    CHECK_FALSE(grad_enabled());
  });
  sum(checkpoint([](const Tensors& in) { return exp(in[0]); }, {before})).backward();
  CHECK(seen);
  CHECK(grad_enabled());
}

TEST_CASE("the first segment of a network: its input requires no gradient, its weights do") {
  check_same_gradients({uniform_tensor({5, 8}, 2)}, [](const Tensors& leaves, Runner run) {
    const Tensor data = uniform_tensor({6, 5}, 1), weight = leaves[0];
    return run([weight](const Tensors& in) { return relu(matmul(in[0], weight)); }, {data});
  });
}

TEST_CASE("the forward pass runs once, and once more in backward") {
  int passes = 0;
  const Tensor x = leaf(uniform_tensor({4}, 1));
  const Segment segment = [&](const Tensors& in) {
    ++passes;
    CHECK(recomputing() == (passes == 2));
    return square(in[0]);
  };
  const Tensor y = sum(checkpoint(segment, {x}));
  CHECK(passes == 1);
  y.backward();
  CHECK(passes == 2);
  CHECK_FALSE(recomputing());
  CHECK(grad_enabled());
  {
    const NoGrad off;
    passes = 0;
    CHECK_FALSE(checkpoint(segment, {x}).requires_grad());
    CHECK(passes == 1);
  }
  // What backward does not reach does not run again.
  passes = 0;
  const Tensor unused = checkpoint(segment, {x});
  sum(x).backward();
  CHECK(passes == 1);
}

// The peak of memory over a forward and a backward pass through a chain of segments, in activations.
double peak_of_chain(int segments, int operations, Runner run) {
  constexpr int64_t size = 1 << 14;
  const Tensor x = Tensor::full({size}, 1, DType::f64).set_requires_grad();
  const Segment segment = [=](const Tensors& in) {
    Tensor y = in[0];
    for (int i = 0; i < operations; ++i) y = square(y);
    return y;
  };
  const int64_t before = arena(Device::cpu).statistics().in_use;
  arena(Device::cpu).reset_peak();
  Tensor y = x;
  for (int i = 0; i < segments; ++i) y = run(segment, {y});
  Tensor loss = sum(y);
  y = Tensor();
  loss.backward();
  return static_cast<double>(arena(Device::cpu).statistics().peak_in_use - before) / (size * sizeof(double));
}

TEST_CASE("a chain of n segments holds n inputs and the activations of one segment") {
  constexpr int segments = 20, operations = 12;
  const double whole = peak_of_chain(segments, operations, plain);
  const double checkpointed = peak_of_chain(segments, operations, checkpoint);
  CHECK(whole >= segments * operations);
  CHECK(checkpointed <= segments + operations + 4);  // 4: gradients on their way
  CHECK(checkpointed >= segments);
  CHECK(arena(Device::cpu).statistics().in_use <= arena(Device::cpu).statistics().peak_in_use);
}

TEST_CASE("running statistics are updated once a step") {
  std::vector<Values> statistics;
  for (Runner run : runners) {
    Tensor gamma = leaf(uniform_tensor({3}, 2)), beta = leaf(uniform_tensor({3}, 3));
    Tensor mean = Tensor::zeros({3}, DType::f64), variance = Tensor::full({3}, 1, DType::f64);
    const Segment segment = [&](const Tensors& in) { return batch_norm_train(in[0], gamma, beta, mean, variance); };
    sum(square(run(segment, {leaf(uniform_tensor({8, 3}, 1))}))).backward();
    statistics.push_back(values_of(mean));
    statistics.push_back(values_of(variance));
  }
  CHECK(statistics[0] == statistics[2]);
  CHECK(statistics[1] == statistics[3]);
  CHECK(statistics[0] != Values(3, 0.0));
}

TEST_CASE("a segment may return what it was given") {
  const Tensor x = leaf(uniform_tensor({3}, 1)), w = leaf(uniform_tensor({3}, 2));
  const Tensor constant = Tensor::full({3}, 2, DType::f64), hidden = square(x);
  CHECK(checkpoint([](const Tensors& in) { return in[0]; }, {hidden}).same_as(hidden));
  CHECK(checkpoint([=](const Tensors&) { return w; }, {x}).same_as(w));
  const Segment beside = [=](const Tensors& in) {
    const Tensor unused = in[0] * w;
    return constant;
  };
  CHECK(values_of(checkpoint(beside, {x})) == values_of(constant));
  CHECK_FALSE(constant.requires_grad());
}

TEST_CASE("what a segment read must be as it was") {
  Tensor x = leaf(uniform_tensor({3}, 1)), w = leaf(uniform_tensor({3}, 2));
  const Segment product = [w](const Tensors& in) { return in[0] * w; };
  for (Tensor* written : {&x, &w}) {
    const Tensor y = sum(checkpoint(product, {x}));
    written->mutable_data<double>()[0] = 5;
    CHECK_THROWS_WITH_AS(y.backward(),
                         "backward: a tensor of shape (3) that the gradient needs was written after the forward pass",
                         Error);
  }
  int64_t size = 3;
  const Segment growing = [&](const Tensors& in) { return in[0] * Tensor::full({size++, 1}, 1, DType::f64); };
  const Tensor y = sum(checkpoint(growing, {x}));
  CHECK_THROWS_WITH_AS(
      y.backward(), "checkpoint: the segment gave (3, 3) in the forward pass and (4, 3) in the backward pass", Error);
}

TEST_CASE("grad(), hooks and the anomaly check see into a segment") {
  const Tensor x = leaf(uniform_tensor({3}, 1, 1, 2)), w = leaf(uniform_tensor({3}, 2));
  int calls = 0;
  const Segment segment = [&](const Tensors& in) {
    const Tensor hidden = square(in[0]);
    on_gradient(hidden, [&](const Tensor& dy) {
      ++calls;
      CHECK(values_of(dy) == values_of(w));
    });
    return hidden * w;
  };
  const std::vector<Tensor> gradients = grad(sum(checkpoint(segment, {x})), {w, x});
  CHECK(values_of(gradients[0]) == values_of(square(x)));
  CHECK_FALSE(w.grad().defined());  // nothing leaks into the leaves
  CHECK_FALSE(x.grad().defined());
  CHECK(calls == 1);
  const AnomalyCheck check;
  const Tensor zero = leaf(Tensor::zeros({3}, DType::f64));
  const Tensor y = sum(checkpoint([](const Tensors& in) { return sqrt(in[0]); }, {zero}));
  CHECK_THROWS_WITH_AS(y.backward(), "sqrt: the gradient of input 0 (3) has an infinity", Error);
}

TEST_CASE("a chain of 100,000 segments does not exhaust the stack") {
  Tensor y = leaf(Tensor::full({1}, 1, DType::f64));
  const Tensor x = y;
  for (int i = 0; i < 100'000; ++i) y = checkpoint([](const Tensors& in) { return scale(in[0], 1); }, {y});
  SUBCASE("dropped") {
    y = Tensor();
  }
  SUBCASE("walked") {
    y.backward();
    CHECK(values_of(x.grad()) == Values{1});
  }
}

}  // namespace
}  // namespace melgrad
