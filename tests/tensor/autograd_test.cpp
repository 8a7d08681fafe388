// The tape: what accumulates, what is an error, what is freed.
#include "tensor/autograd.h"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>

#include "tensor/ops/activation.h"
#include "tensor/ops/batch_norm.h"
#include "tensor/ops/bias.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/matmul.h"
#include "tensor/ops/reduce.h"
#include "tensor/ops/reshape.h"
#include "tensor/ops/unary.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad {
namespace {

using test::uniform_tensor;
using test::values_of;
using Values = std::vector<double>;

Tensor leaf(const Values& values) {
  return Tensor::from(values, {static_cast<int64_t>(values.size())}).set_requires_grad();
}

TEST_CASE("gradients accumulate in leaves until zero_grad") {
  Tensor x = leaf({2, 3});
  CHECK_FALSE(x.grad().defined());
  sum(scale(x, 5)).backward();
  CHECK(values_of(x.grad()) == Values{5, 5});
  const Tensor held = x.grad();
  sum(multiply(x, x)).backward();
  CHECK(values_of(x.grad()) == Values{9, 11});
  CHECK(values_of(held) == Values{5, 5});  // who holds a gradient keeps its numbers
  x.zero_grad();
  CHECK_FALSE(x.grad().defined());
  sum(x).backward();
  CHECK(values_of(x.grad()) == Values{1, 1});
}

TEST_CASE("the tape says of each operation what it is and what it gave") {
  const Tensor x = leaf({2, 3}), doubled = scale(x, 2), total = sum(doubled);
  CHECK(doubled.node()->operation == std::string("scale"));
  CHECK(doubled.node()->output_shape == Shape{2});
  CHECK(total.node()->output_shape == total.shape());
  CHECK(total.node()->inputs[0].node() == doubled.node());
}

TEST_CASE("a gradient that nobody else holds is added to in place") {
  Tensor x = leaf({2, 3});
  sum(scale(x, 4)).backward();
  const void* memory = x.grad().view().data;
  sum(scale(x, 5)).backward();
  CHECK(values_of(x.grad()) == Values{9, 9});
  CHECK(x.grad().view().data == memory);
}

TEST_CASE("backward from a leaf itself") {
  Tensor x = leaf({2});
  x.backward();
  x.backward();
  CHECK(values_of(x.grad()) == Values{2});
  Tensor given = Tensor::full({1}, 7, DType::f64);
  x.zero_grad();
  backward(x, given);
  given.mutable_data<double>()[0] = 0;
  CHECK(values_of(x.grad()) == Values{7});  // memory of its own
}

TEST_CASE("a tensor used twice gets the sum") {
  Tensor x = leaf({3});
  multiply(x, x).backward();
  CHECK(values_of(x.grad()) == Values{6});

  x.zero_grad();  // a diamond: y = x², z = 2y · (y + x) = 2x⁴ + 2x³
  const Tensor y = multiply(x, x);
  multiply(scale(y, 2), add(y, x)).backward();
  CHECK(values_of(x.grad()) == Values{8 * 27 + 6 * 9});

  x.zero_grad();
  add(add(x, x), x).backward();
  CHECK(values_of(x.grad()) == Values{3});
}

TEST_CASE("two inputs that are given one gradient do not share it") {
  Tensor a = leaf({1, 2}), b = leaf({3, 4}), bias = leaf({0, 0});
  backward(add(a, b), Tensor::from(Values{10, 20}, {2}));
  a.grad().mutable_data<double>()[0] = -1;  // clipping, say
  CHECK(values_of(b.grad()) == Values{10, 20});

  // Inside the graph: the gradient of add flows into both sides, and one of them gets another term.
  a.zero_grad();
  b.zero_grad();
  const Tensor c = scale(a, 1), d = scale(b, 1);
  const Tensor both = add(c, d);
  sum(add(both, scale(c, 5))).backward();
  CHECK(values_of(a.grad()) == Values{6, 6});
  CHECK(values_of(b.grad()) == Values{1, 1});

  // A reshape's gradient is the same memory under another shape.
  a.zero_grad();
  const Tensor r = reshape(a, {2, 1});
  Tensor given = Tensor::from(Values{1, 2}, {2, 1});
  backward(r, given);
  given.mutable_data<double>()[0] = 100;
  CHECK(values_of(a.grad()) == Values{1, 2});

  // The gradient given by the caller is never written.
  const Tensor one = Tensor::full({2}, 1, DType::f64);
  backward(add(add(a, a), add(a, bias)), one);
  CHECK(values_of(one) == Values{1, 1});
}

TEST_CASE("no_grad and detach keep off the tape") {
  Tensor x = leaf({3});
  {
    const NoGrad outer;
    CHECK_FALSE(grad_enabled());
    { const NoGrad inner; }
    CHECK_FALSE(grad_enabled());
    CHECK_FALSE(multiply(x, x).requires_grad());
  }
  CHECK(grad_enabled());
  CHECK_THROWS_AS(
      [] {
        const NoGrad off;
        fail("out of a scope");
      }(),
      Error);
  CHECK(grad_enabled());
  CHECK_FALSE(multiply(x, x).detach().requires_grad());
  CHECK(multiply(x, x).requires_grad());
  multiply(x, multiply(x, x).detach()).backward();
  CHECK(values_of(x.grad()) == Values{9});  // x² is a constant here
  CHECK_THROWS_WITH_AS(x.detach().backward(), "backward: nothing behind this tensor requires a gradient", Error);
  CHECK_FALSE(x.clone().requires_grad());
}

TEST_CASE("a graph used twice is an error that says so") {
  Tensor x = leaf({3});
  const Tensor y = multiply(x, x);
  y.backward();
  CHECK_THROWS_WITH_AS(y.backward(),
                       "backward: the graph behind multiply has been used and freed; run the forward pass again before "
                       "another backward()",
                       Error);
  CHECK(values_of(x.grad()) == Values{6});  // the second one left no trace
  // Also where only a part of it has been used.
  const Tensor shared = multiply(x, x);
  scale(shared, 2).backward();
  CHECK_THROWS_AS(scale(shared, 3).backward(), Error);
  CHECK_THROWS_AS(add(x, shared).backward(), Error);
}

TEST_CASE("a saved tensor that is written before backward is an error") {
  Tensor x = leaf({3}), w = leaf({2});
  const Tensor y = multiply(x, w);
  w.mutable_data<double>()[0] = 5;
  CHECK_THROWS_WITH_AS(y.backward(),
                       "backward: a tensor of shape (1) that the gradient needs was written after the forward pass",
                       Error);
  // An output that is saved, and memory that is shared by a reshape.
  Tensor activated = relu(x);
  activated.mutable_view();
  CHECK_THROWS_AS(activated.backward(), Error);
  const Tensor flat = multiply(reshape(x, {1, 1}), w);
  x.mutable_view();
  CHECK_THROWS_AS(flat.backward(), Error);
  // What no gradient needs may be written.
  const Tensor sum_of_both = add(x, w);
  w.mutable_data<double>()[0] = 6;
  CHECK_NOTHROW(sum_of_both.backward());
  // Running statistics may not change between the forward and the backward pass of an inference; those of a training
  // pass are not needed.
  Tensor gamma = leaf({1}), beta = leaf({0}), mean = Tensor::zeros({1}, DType::f64);
  Tensor variance = Tensor::full({1}, 1, DType::f64);
  const Tensor batch = Tensor::from(Values{1, 2}, {2, 1});
  const Tensor inferred = batch_norm_infer(batch, gamma, beta, mean, variance);
  const Tensor trained = batch_norm_train(batch, gamma, beta, mean, variance);
  batch_norm_train(batch, gamma, beta, mean, variance);
  CHECK_THROWS_AS(sum(inferred).backward(), Error);
  CHECK_NOTHROW(sum(trained).backward());
}

TEST_CASE("backward needs a scalar or a gradient that fits") {
  Tensor x = leaf({1, 2});
  CHECK_THROWS_WITH_AS(scale(x, 2).backward(),
                       "backward: the tensor is (2), expected a scalar; give a gradient otherwise", Error);
  CHECK_THROWS_WITH_AS(backward(scale(x, 2), Tensor::zeros({3}, DType::f64)),
                       "backward: the gradient is (3), the tensor (2)", Error);
  CHECK_THROWS_WITH_AS(backward(scale(x, 2), Tensor::zeros({2})),
                       "backward: the gradient is f32 on cpu, the tensor f64 on cpu", Error);
  CHECK_THROWS_AS(x.set_grad(Tensor::zeros({3}, DType::f64)), Error);
  CHECK_THROWS_AS(x.set_grad(Tensor::zeros({2})), Error);
  backward(scale(x, 2), Tensor::from(Values{1, 10}, {2}));
  CHECK(values_of(x.grad()) == Values{2, 20});
}

TEST_CASE("a gradient that nobody needs is not computed") {
  Tensor x = leaf({3}), constant = Tensor::full({1}, 2, DType::f64);
  std::vector<bool> wanted;
  const auto spy = [&](const Tensor& a, const Tensor& b) {
    return record("spy", add(a.detach(), b.detach()), {a, b}, [&](const Tensor& dy, Gradients& gradients) {
      CHECK_FALSE(grad_enabled());  // the backward pass leaves no tape of its own
      wanted = {gradients.wants(0), gradients.wants(1)};
      gradients.set(0, dy);
      gradients.set(1, dy);  // unasked for: dropped
    });
  };
  spy(x, constant).backward();
  CHECK(wanted == std::vector<bool>{true, false});
  CHECK_FALSE(constant.grad().defined());
  CHECK_FALSE(spy(constant, constant).requires_grad());
  // A branch that the output does not depend on is not walked.
  wanted.clear();
  const Tensor unused = spy(x, x);
  scale(x, 2).backward();
  CHECK(wanted.empty());
  // An operation that gives no gradient for an input, or one of a wrong shape.
  Tensor y = record("silent", x.clone(), {x}, [](const Tensor&, Gradients&) {});
  x.zero_grad();
  y.backward();
  CHECK_FALSE(x.grad().defined());
  const Tensor behind = scale(x, 2);  // is given no gradient: not walked
  y = record("silent", behind.clone(), {behind}, [](const Tensor&, Gradients&) {});
  CHECK_NOTHROW(y.backward());
  CHECK_FALSE(x.grad().defined());
  y = record("wrong", x.clone(), {x},
             [](const Tensor&, Gradients& gradients) { gradients.set(0, Tensor::zeros({2}, DType::f64)); });
  CHECK_THROWS_WITH_AS(y.backward(), "backward: wrong gave a gradient of (2) for an input of (1)", Error);
}

TEST_CASE("requires_grad is for floating-point leaves") {
  Tensor x = leaf({3});
  Tensor y = scale(x, 2);
  CHECK_THROWS_WITH_AS(y.set_requires_grad(false),
                       "set_requires_grad: only for leaves; this tensor is the result of scale", Error);
  CHECK_THROWS_AS(Tensor::zeros({1}, DType::i32).set_requires_grad(), Error);
  x.set_requires_grad(false);
  CHECK_FALSE(scale(x, 2).requires_grad());
  CHECK_THROWS_WITH_AS(Tensor().shape(), "tensor: used before it was given a value", Error);
}

TEST_CASE("grad gives the gradients of chosen tensors and leaves grad() alone") {
  const Tensor x = leaf({2, 3}), w = leaf({5, 7});
  const Tensor hidden = x * w;
  const Tensor loss = sum(square(hidden) + x);
  const std::vector<Tensor> gradients = grad(loss, {w, hidden, x, w});
  CHECK(values_of(gradients[0]) == Values{2 * 10 * 2, 2 * 21 * 3});
  CHECK(values_of(gradients[1]) == Values{2 * 10, 2 * 21});
  CHECK(values_of(gradients[2]) == Values{2 * 10 * 5 + 1, 2 * 21 * 7 + 1});
  CHECK(values_of(gradients[3]) == values_of(gradients[0]));
  CHECK_FALSE(x.grad().defined());
  CHECK_FALSE(w.grad().defined());
  const Tensor product = x * w;
  CHECK(values_of(grad(sum(scale(product, 3)), {product, x})[0]) == Values{3, 3});
  CHECK_THROWS_AS(grad(loss, {w}), Error);  // freed, as by backward()
  const Tensor apart = leaf({1, 1}), result = scale(apart, 2);
  CHECK_THROWS_WITH_AS(grad(sum(x), {x, apart}), "grad: the scalar does not depend on input 1, (2)", Error);
  CHECK_THROWS_WITH_AS(grad(sum(x), {result}), "grad: the scalar does not depend on input 0, (2)", Error);
  CHECK_THROWS_WITH_AS(grad(sum(x), {apart, x}), "grad: the scalar does not depend on input 0, (2)", Error);
  CHECK_THROWS_WITH_AS(grad(x, {x}), "grad: the tensor is (2), expected a scalar", Error);
  const Tensor scalar = leaf({4});
  CHECK(values_of(grad(scalar, {scalar})[0]) == Values{1});
}

TEST_CASE("a hook sees a result's whole gradient") {
  const Tensor x = leaf({2, 3});
  const Tensor hidden = scale(x, 10);
  Values seen;
  int calls = 0;
  on_gradient(hidden, [&](const Tensor& dy) {
    ++calls;
    seen = values_of(dy);
  });
  sum(hidden * hidden + hidden).backward();  // three terms
  CHECK(calls == 1);
  CHECK(seen == Values{2 * 20 + 1, 2 * 30 + 1});
  CHECK_THROWS_WITH_AS(on_gradient(x, [](const Tensor&) {}),
                       "on_gradient: the tensor is a leaf; its gradient stays in grad()", Error);
}

TEST_CASE("backward lets go of its hooks") {
  const Tensor x = leaf({2, 3});
  const Tensor hidden = scale(x, 10);
  const auto held = std::make_shared<int>(1);
  on_gradient(hidden, [held](const Tensor&) {});
  CHECK(held.use_count() == 2);
  sum(hidden).backward();
  CHECK(held.use_count() == 1);
}

TEST_CASE("the anomaly check names the first operation that makes a NaN or an infinity") {
  const Tensor zero = leaf({1, 0}), negative = leaf({-1, 2});
  CHECK(std::isinf(values_of(log(zero))[1]));  // silent without it
  {
    const AnomalyCheck check;
    CHECK_THROWS_WITH_AS(log(zero), "log: the output (2) has an infinity", Error);
    CHECK_THROWS_WITH_AS(scale(sqrt(negative), 2), "sqrt: the output (2) has a NaN", Error);
    // The forward pass is finite, the slope of the root at 0 is not.
    CHECK_THROWS_WITH_AS(sum(scale(sqrt(zero), 3)).backward(), "sqrt: the gradient of input 0 (2) has an infinity",
                         Error);
    const NoGrad no_grad;
    CHECK_THROWS_AS(log(zero), Error);
  }
  CHECK_NOTHROW(log(zero));
}

}  // namespace
}  // namespace melgrad
