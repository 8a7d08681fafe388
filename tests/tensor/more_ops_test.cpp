// Movement, reductions, losses and recurrence: values by hand, gradients by central differences.
#include <doctest/doctest.h>

#include <cmath>

#include "tensor/autograd.h"
#include "tensor/ops/avg_pool2d.h"
#include "tensor/ops/conv2d.h"
#include "tensor/ops/dropout.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/gru.h"
#include "tensor/ops/loss.h"
#include "tensor/ops/max_pool2d.h"
#include "tensor/ops/movement.h"
#include "tensor/ops/reduce.h"
#include "tensor/ops/unary.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad {
namespace {

using test::check_gradients;
using test::distinct_tensor;
using test::uniform_tensor;
using test::values_of;
using Values = std::vector<double>;
using Tensors = std::vector<Tensor>;

Tensor tensor(const Values& values, const Shape& shape) {
  return Tensor::from(values, shape);
}

TEST_CASE("transpose, slice, concatenate and pad: values") {
  const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(values_of(transpose(x, {1, 0})) == Values{1, 4, 2, 5, 3, 6});
  CHECK(transpose(uniform_tensor({2, 3, 4}, 1), {2, 0, 1}).shape() == Shape{4, 2, 3});
  CHECK(values_of(swap_axes(x, 0, -1)) == Values{1, 4, 2, 5, 3, 6});
  CHECK(values_of(slice(x, {.axis = 1, .begin = 1, .end = 3})) == Values{2, 3, 5, 6});
  CHECK(values_of(slice(x, {.axis = -1, .begin = 0, .end = 3, .step = 2})) == Values{1, 3, 4, 6});
  CHECK(values_of(slice(x, {.axis = 1, .begin = -2, .end = -1})) == Values{2, 5});
  CHECK(slice(x, {.axis = 0, .begin = 1, .end = 1}).shape() == Shape{0, 3});
  CHECK(values_of(concatenate({x, tensor({7, 8}, {2, 1})}, 1)) == Values{1, 2, 3, 7, 4, 5, 6, 8});
  CHECK(values_of(concatenate({x, x}, -2)) == Values{1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6});
  CHECK(values_of(pad(x, 1, 1, 2)) == Values{0, 1, 2, 3, 0, 0, 0, 4, 5, 6, 0, 0});
  CHECK(values_of(pad(x, 1, 2, 1, PadMode::reflect)) == Values{3, 2, 1, 2, 3, 2, 6, 5, 4, 5, 6, 5});
  CHECK(values_of(pad(x, 0, 0, 1, PadMode::reflect)) == Values{1, 2, 3, 4, 5, 6, 1, 2, 3});
}

TEST_CASE("transpose, slice, concatenate and pad: gradients") {
  const Tensor x = uniform_tensor({2, 5, 3}, 1);
  check_gradients("transpose", [](const Tensors& in) { return transpose(in[0], {2, 0, 1}); }, {x});
  check_gradients("slice", [](const Tensors& in) { return slice(in[0], {.axis = 1, .begin = 1, .end = 5, .step = 2}); },
                  {x});
  check_gradients("concatenate",
                  [](const Tensors& in) {
                    return concatenate({in[0], in[1], in[0]}, 1);
                  },
                  {x, uniform_tensor({2, 1, 3}, 2)});
  check_gradients("pad", [](const Tensors& in) { return pad(in[0], 1, 2, 1); }, {x});
  check_gradients("reflect", [](const Tensors& in) { return pad(in[0], 1, 4, 3, PadMode::reflect); }, {x});
  check_gradients("reflect nothing", [](const Tensors& in) { return pad(in[0], 2, 0, 0, PadMode::reflect); }, {x});
}

TEST_CASE("movement refuses what does not fit") {
  const Tensor x = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH_AS(transpose(x, {0, 0}), "transpose: axis 0 comes twice", Error);
  CHECK_THROWS_AS(transpose(x, {0}), Error);
  CHECK_THROWS_WITH_AS(swap_axes(x, 0, 2), "swap_axes: (2, 3) has no axis 2", Error);
  CHECK_THROWS_WITH_AS(slice(x, {.axis = 1, .begin = 2, .end = 4}),
                       "slice: elements 2 to 4 in steps of 1 of an axis of 3", Error);
  CHECK(values_of(slice(tensor({0, 1, 2, 3, 4}, {5}), {.axis = 0, .begin = -3, .end = 4})) == Values{2, 3});
  CHECK(values_of(slice(tensor({0, 1, 2, 3, 4}, {5}), {.axis = 0, .begin = 1, .end = -1})) == Values{1, 2, 3});
  CHECK(values_of(slice(tensor({0, 1, 2, 3, 4}, {5}), {.axis = 0, .begin = -5, .end = -4})) == Values{0});
  CHECK(slice(tensor({0, 1, 2}, {3}), {.axis = 0, .begin = 0, .end = 0}).shape() == Shape{0});
  CHECK_THROWS_WITH_AS(concatenate({x, Tensor::zeros({2, 3, 1})}, 1), "concatenate: (2, 3) and (2, 3, 1) along axis 1",
                       Error);
  CHECK_THROWS_WITH_AS(concatenate({x, Tensor::zeros({3, 3})}, 1), "concatenate: (2, 3) and (3, 3) along axis 1",
                       Error);
  CHECK_THROWS_AS(concatenate({}, 0), Error);
  CHECK_THROWS_AS(pad(x, 0, -1, 0), Error);
  CHECK_THROWS_WITH_AS(pad(x, 0, 2, 0, PadMode::reflect), "pad: reflecting 2 and 0 elements needs more than 2 of them",
                       Error);
}

TEST_CASE("max and variance: values and gradients") {
  const Tensor x = tensor({1, 5, 5, 4, 2, 6}, {2, 3});
  CHECK(max(x).item() == 6);
  CHECK(max(x).shape() == Shape{});
  CHECK(max(x, {0, 1}).shape() == Shape{1, 1});
  CHECK(values_of(max(x, {1})) == Values{5, 6});
  CHECK(variance(x).item() == doctest::Approx(107.0 / 6 - 23.0 * 23 / 36));
  Tensor leaf = x.clone().set_requires_grad();
  sum(max(leaf, {1})).backward();
  CHECK(values_of(leaf.grad()) == Values{0, 1, 0, 0, 0, 1});  // the first of equals
  for (const std::vector<int64_t>& axes : {std::vector<int64_t>{}, {0}, {1}, {-1}, {0, 2}, {0, 1, 2}}) {
    check_gradients("max", [axes](const Tensors& in) { return max(in[0], axes); }, {distinct_tensor({3, 4, 2}, 1)});
    check_gradients("variance", [axes](const Tensors& in) { return variance(in[0], axes); },
                    {uniform_tensor({3, 4, 2}, 1)});
  }
}

TEST_CASE("functions of one number: values and gradients") {
  CHECK(exp(tensor({0}, {1})).item() == 1);
  CHECK(log(tensor({1}, {1})).item() == 0);
  CHECK(sqrt(tensor({9}, {1})).item() == 3);
  CHECK(square(tensor({-3}, {1})).item() == 9);
  CHECK(abs(tensor({-3}, {1})).item() == 3);
  for (const auto& entry : enum_names<Unary>)
    check_gradients(std::string(entry.second), [f = entry.first](const Tensors& in) { return unary(f, in[0]); },
                    {uniform_tensor({7}, 1, 0.2, 2)});
}

TEST_CASE("pools and convolution 1-D are those of 2-D on a width of 1: values and gradients") {
  const Tensor x = tensor({1, 2, 3, 6, 5, 4}, {1, 6, 1});
  const Window two{.size = 2, .stride = 2};
  CHECK(values_of(max_pool1d(x, two)) == Values{2, 6, 5});
  CHECK(values_of(avg_pool1d(x, two)) == Values{1.5, 4.5, 4.5});
  CHECK(values_of(conv1d(x, tensor({1, 10}, {2, 1, 1}))) == Values{21, 32, 63, 56, 45});
  const Window window{.size = 3, .stride = 2, .dilation = 2, .pad_before = 1, .pad_after = 2};
  check_gradients("conv1d", [=](const Tensors& in) { return conv1d(in[0], in[1], {.window = window, .groups = 2}); },
                  {uniform_tensor({2, 9, 4}, 1), uniform_tensor({3, 2, 6}, 2)});
  check_gradients("max_pool1d", [=](const Tensors& in) { return max_pool1d(in[0], window); },
                  {distinct_tensor({2, 9, 3}, 1)});
  for (AverageOver over : {AverageOver::inside, AverageOver::window}) {
    check_gradients("avg_pool1d", [=](const Tensors& in) { return avg_pool1d(in[0], window, over); },
                    {uniform_tensor({2, 9, 3}, 1)});
    check_gradients("avg_pool2d", [=](const Tensors& in) { return avg_pool2d(in[0], window, two, over); },
                    {uniform_tensor({2, 9, 4, 3}, 1)});
  }
  CHECK_THROWS_WITH_AS(max_pool1d(Tensor::zeros({2, 3}), two), "max_pool1d: x is (2, 3), expected (n, l, c)", Error);
}

TEST_CASE("losses: gradients") {
  const Tensor targets = uniform_tensor({4, 3}, 9, 0.1, 0.9);
  for (const auto& entry : enum_names<ElementLoss>)
    check_gradients(std::string(entry.second),
                    [&](const Tensors& in) { return element_loss(entry.first, in[0], targets); },
                    {uniform_tensor({4, 3}, 1, 0.1, 0.9)});
  for (TargetScale scale : {TargetScale::as_given, TargetScale::sum_to_one})
    check_gradients("soft_cross_entropy", [&](const Tensors& in) { return soft_cross_entropy(in[0], targets, scale); },
                    {uniform_tensor({4, 3}, 1)});
}

TEST_CASE("gru: gradients") {
  for (bool reset_after : {false, true})
    check_gradients("gru",
                    [=](const Tensors& in) {
                      // The unread bias joins in by a term of its own.
                      return gru(in[0], in[1], in[2], {.reset_after = reset_after}) * sum(in[2]);
                    },
                    {uniform_tensor({2, 4, 9}, 1), uniform_tensor({3, 9}, 2), uniform_tensor({9}, 3)});
}

TEST_CASE("channel dropout keeps or drops whole channels; noise is added as it is") {
  const Philox random{5, Draw::dropout};
  const Tensor y = channel_dropout(Tensor::full({40, 6, 3}, 1, DType::f64), 0.25, random);
  int64_t kept = 0;
  for (int64_t n = 0; n < 40; ++n)
    for (int64_t c = 0; c < 3; ++c) {
      const Values values = values_of(slice(slice(y, {0, n, n + 1}), {2, c, c + 1}));
      for (double value : values) CHECK(value == values[0]);
      if (values[0] != 0) CHECK(values[0] == doctest::Approx(1 / 0.75));
      kept += values[0] != 0;
    }
  CHECK(kept > 70);
  CHECK(kept < 110);  // 90 expected, deviation 4.7
  check_gradients("channel_dropout", [&](const Tensors& in) { return channel_dropout(in[0], 0.4, random); },
                  {uniform_tensor({5, 4, 3}, 1)});
  check_gradients("gaussian_noise", [&](const Tensors& in) { return gaussian_noise(in[0], 0.4, random); },
                  {uniform_tensor({5, 4}, 1)});
}

}  // namespace
}  // namespace melgrad
