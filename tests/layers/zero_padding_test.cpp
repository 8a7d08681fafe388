// Layers that pad and flatten: values, shapes, gradients, and what they refuse.
#include "layers/zero_padding.h"

#include <doctest/doctest.h>

#include "layers/factory.h"
#include "layers/reshape.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad {
namespace {

using test::uniform_tensor;
using test::values_of;
using Values = std::vector<double>;

Shape build(Layer& layer, const Shape& input) {
  BuildContext context({.dtype = DType::f64});
  return layer.build(input, context);
}

TEST_CASE("zero padding puts zeros where it says, and passes the gradient of what was there") {
  ZeroPadding1D one({.padding = {1, 2}});
  CHECK(build(one, {2, 1}) == Shape{5, 1});
  CHECK(values_of(one.forward(Tensor::from(Values{3, 4}, {1, 2, 1}))) == Values{0, 3, 4, 0, 0});
  ZeroPadding2D two({.padding = {{0, 1}, {2, 0}}});
  CHECK(build(two, {1, 2, 1}) == Shape{2, 4, 1});
  CHECK(values_of(two.forward(Tensor::from(Values{3, 4}, {1, 1, 2, 1}))) == Values{0, 0, 3, 4, 0, 0, 0, 0});
  ZeroPadding2D uneven({.padding = {{1, 0}, {2, 3}}});
  build(uneven, {3, 2, 2});
  test::check_gradients("zero_padding2d", [&](const std::vector<Tensor>& in) { return uneven.forward(in[0]); },
                        {uniform_tensor({2, 3, 2, 2}, 1)});
}

TEST_CASE("zero padding by default is Keras's: one on each side; amounts only") {
  ZeroPadding1D one;
  ZeroPadding2D two;
  CHECK(build(one, {4, 3}) == Shape{6, 3});
  CHECK(build(two, {4, 5, 3}) == Shape{6, 7, 3});
  CHECK_THROWS_AS(build(one, {4}), Error);
  CHECK_THROWS_AS(build(two, {4, 3}), Error);
  ZeroPadding1D negative({.padding = {-1, 0}}), rule({.padding = Padding::same});
  for (ZeroPadding1D* layer : {&negative, &rule})
    CHECK_THROWS_WITH_AS(build(*layer, {4, 3}), doctest::Contains("expected amounts"), Error);
  // As text: rows by 0, columns by 37 on both sides.
  const auto layer = make_layer({"zero_padding2d", "", {{"padding", "[0, 37]"}}, {}, {}});
  CHECK(build(*layer, {96, 1366, 1}) == Shape{96, 1440, 1});
  const auto sequence = make_layer({"zero_padding1d", "", {{"padding", "[0, 5]"}}, {}, {}});
  CHECK(build(*sequence, {3, 2}) == Shape{8, 2});
}

TEST_CASE("reflecting and cropping: each axis its own amounts on each side") {
  const Tensor x = Tensor::from(std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8}, {1, 2, 4});
  BuildContext context({.dtype = DType::f64});
  ReflectPadding wide({.before = {0, 1}, .after = {1, 2}});
  CHECK(wide.build({2, 4}, context) == Shape{3, 7});
  CHECK(test::values_of(wide.pre_activation(x, {})) ==
        std::vector<double>{2, 1, 2, 3, 4, 3, 2, 6, 5, 6, 7, 8, 7, 6, 2, 1, 2, 3, 4, 3, 2});
  ReflectPadding before({.before = {1, 0}, .after = {0, 0}});
  before.build({2, 4}, context);
  CHECK(test::values_of(before.pre_activation(x, {})) == std::vector<double>{5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8});
  Crop narrow({.before = {1, 0}, .after = {0, 3}});
  CHECK(narrow.build({2, 4}, context) == Shape{1, 1});
  CHECK(test::values_of(narrow.pre_activation(x, {})) == std::vector<double>{5});
  Crop left({.before = {0, 1}, .after = {0, 2}});
  left.build({2, 4}, context);
  CHECK(test::values_of(left.pre_activation(x, {})) == std::vector<double>{2, 6});
  Crop last({.before = {0, 0}, .after = {0, 1}});
  last.build({2, 4}, context);
  CHECK(test::values_of(last.pre_activation(x, {})) == std::vector<double>{1, 2, 3, 5, 6, 7});
}

TEST_CASE("flatten keeps the axes that it is told to") {
  Flatten all, frames({.keep = 1}), too_many({.keep = 4}), negative({.keep = -1});
  CHECK(build(all, {5, 4, 3}) == Shape{60});
  CHECK(build(frames, {5, 4, 3}) == Shape{5, 12});
  const Tensor x = uniform_tensor({2, 5, 4, 3}, 1);
  CHECK(values_of(frames.forward(x)) == values_of(x));
  CHECK(frames.forward(x).shape() == Shape{2, 5, 12});
  for (Flatten* layer : {&too_many, &negative})
    CHECK_THROWS_WITH_AS(build(*layer, {5, 4, 3}), doctest::Contains("keep"), Error);
}

}  // namespace
}  // namespace melgrad
