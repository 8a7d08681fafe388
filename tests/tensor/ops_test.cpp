// Operations that are not windows or statistics: values by hand, gradients by central differences.
#include <doctest/doctest.h>

#include <cmath>

#include "tensor/autograd.h"
#include "tensor/ops/activation.h"
#include "tensor/ops/bias.h"
#include "tensor/ops/dropout.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/matmul.h"
#include "tensor/ops/reduce.h"
#include "tensor/ops/reshape.h"
#include "tensor/ops/softmax.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad {
namespace {

using test::all_close;
using test::check_gradients;
using test::nonzero_tensor;
using test::uniform_tensor;
using test::values_of;
using Values = std::vector<double>;
using Tensors = std::vector<Tensor>;

Tensor tensor(const Values& values, const Shape& shape) {
  return Tensor::from(values, shape);
}

TEST_CASE("activation: values and gradients") {
  CHECK(values_of(relu(tensor({-1, 0, 2}, {3}))) == Values{0, 0, 2});
  CHECK(values_of(activation(Activation::linear, tensor({-1, 0, 2}, {3}))) == Values{-1, 0, 2});
  for (const auto& [function, name] : enum_names<Activation>) {
    check_gradients(std::string(name), [f = function](const Tensors& in) { return activation(f, in[0]); },
                    {nonzero_tensor({3, 5}, 1)});
  }
}

TEST_CASE("matmul: values and gradients") {
  const Tensor a = tensor({1, 2, 3, 4, 5, 6}, {2, 3}), b = tensor({1, 0, 0, 1, 2, -1}, {3, 2});
  CHECK(values_of(matmul(a, b)) == Values{7, -1, 16, -1});
  for (const auto& [m, k, n] : {std::array<int64_t, 3>{1, 1, 1}, {2, 3, 4}, {5, 1, 7}, {1, 13, 2}}) {
    for (MatmulAlgorithm algorithm : matmul_algorithms(Device::cpu)) {
      check_gradients(fmt::format("matmul {} {}x{}x{}", name_of(algorithm), m, k, n),
                      [algorithm](const Tensors& in) { return matmul(in[0], in[1], algorithm); },
                      {uniform_tensor({m, k}, 1), uniform_tensor({k, n}, 2)});
    }
  }
  CHECK_THROWS_WITH_AS(matmul(a, a), "matmul: (2, 3) times (2, 3); expected (m, k) times (k, n)", Error);
  CHECK_THROWS_WITH_AS(matmul(a, tensor({1, 2, 3}, {3})), "matmul: (2, 3) times (3); expected (m, k) times (k, n)",
                       Error);
  CHECK_THROWS_WITH_AS(matmul(tensor({1, 2, 3}, {3}), b), "matmul: (3) times (3, 2); expected (m, k) times (k, n)",
                       Error);
  CHECK_THROWS_WITH_AS(matmul(a, uniform_tensor({3, 2, 2}, 1)),
                       "matmul: (2, 3) times (3, 2, 2); expected (m, k) times (k, n)", Error);
  CHECK_THROWS_WITH_AS(matmul(uniform_tensor({2, 3, 2}, 1), b),
                       "matmul: (2, 3, 2) times (3, 2); expected (m, k) times (k, n)", Error);
  CHECK_THROWS_AS(matmul(a, b, MatmulAlgorithm::tiled), Error);  // not on the cpu
}

TEST_CASE("add_bias: values and gradients") {
  CHECK(values_of(add_bias(tensor({1, 2, 3, 4}, {2, 2}), tensor({10, 20}, {2}))) == Values{11, 22, 13, 24});
  check_gradients("add_bias", [](const Tensors& in) { return add_bias(in[0], in[1]); },
                  {uniform_tensor({2, 3, 5}, 1), uniform_tensor({5}, 2)});
}

using BinaryFunction = Tensor (*)(const Tensor&, const Tensor&);
struct BinaryCase {
  const char* name;
  BinaryFunction function;
  double of_6_and_3;
};
const BinaryCase binaries[] = {
    {"add", add, 9}, {"subtract", subtract, 3}, {"multiply", multiply, 18}, {"divide", divide, 2}};

TEST_CASE("arithmetic with broadcasting: values and gradients") {
  const std::pair<Shape, Shape> shapes[] = {
      {{2, 3}, {2, 3}}, {{2, 3}, {3}},       {{3}, {2, 3}}, {{2, 1, 3}, {4, 1}}, {{1, 1}, {2, 3}},
      {{}, {2, 2}},     {{2, 3, 2}, {1, 2}}, {{}, {}},      {{1}, {1, 1}},       {{5, 1}, {1, 7}},
  };
  for (const BinaryCase& binary : binaries) {
    CHECK(values_of(binary.function(tensor({6}, {1}), tensor({3}, {1}))) == Values{binary.of_6_and_3});
    for (const auto& [a, b] : shapes) {
      check_gradients(fmt::format("{} {} {}", binary.name, a.to_string(), b.to_string()),
                      [function = binary.function](const Tensors& in) { return function(in[0], in[1]); },
                      {nonzero_tensor(a, 1), nonzero_tensor(b, 2)});
    }
  }
  CHECK_THROWS_AS(add(Tensor::zeros({2}), Tensor::zeros({3})), Error);
  CHECK_THROWS_AS(add(Tensor::zeros({2}), Tensor::zeros({2}, DType::f64)), Error);
}

TEST_CASE("arithmetic as operators") {
  const Tensor a = tensor({6}, {1}), b = tensor({3}, {1});
  CHECK((a + b).item() == 9);
  CHECK((a - b).item() == 3);
  CHECK((a * b).item() == 18);
  CHECK((a / b).item() == 2);
  CHECK((0.5 * a).item() == 3);
  CHECK((-a).item() == -6);
}

TEST_CASE("scale: values and gradients") {
  CHECK(values_of(scale(tensor({1, -2}, {2}), -2.5)) == Values{-2.5, 5});
  check_gradients("scale", [](const Tensors& in) { return scale(in[0], -2.5); }, {uniform_tensor({4}, 1)});
}

TEST_CASE("sum and mean: values and gradients") {
  const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(sum(x).item() == 21);
  CHECK(sum(x).shape() == Shape{});
  CHECK(values_of(sum(x, {0})) == Values{5, 7, 9});
  CHECK(sum(x, {0}).shape() == Shape{1, 3});
  CHECK(values_of(sum(x, {-1})) == Values{6, 15});
  CHECK(mean(x).item() == 3.5);
  CHECK(values_of(mean(x, {1})) == Values{2, 5});
  for (const std::vector<int64_t>& axes : {std::vector<int64_t>{}, {0}, {1}, {-1}, {0, 2}, {0, 1, 2}, {1, 1}}) {
    check_gradients("sum", [axes](const Tensors& in) { return sum(in[0], axes); }, {uniform_tensor({2, 3, 4}, 1)});
    check_gradients("mean", [axes](const Tensors& in) { return mean(in[0], axes); }, {uniform_tensor({2, 3, 4}, 1)});
  }
  check_gradients("sum of a scalar", [](const Tensors& in) { return sum(in[0]); }, {uniform_tensor({}, 1)});
  CHECK_THROWS_WITH_AS(sum(x, {2}), "reduce: no axis 2", Error);
  CHECK_THROWS_WITH_AS(sum(x, {-3}), "reduce: no axis -3", Error);
  CHECK_THROWS_AS(mean(Tensor::zeros({0, 2})), Error);
}

TEST_CASE("reshape and flatten: values and gradients") {
  const Tensor x = uniform_tensor({2, 3, 4}, 1);
  CHECK(reshape(x, {4, 6}).shape() == Shape{4, 6});
  CHECK(values_of(reshape(x, {4, 6})) == values_of(x));
  CHECK(flatten(x).shape() == Shape{2, 12});
  CHECK(flatten(Tensor::zeros({5})).shape() == Shape{5, 1});
  check_gradients("reshape", [](const Tensors& in) { return reshape(in[0], {4, 6}); }, {x});
  check_gradients("flatten", [](const Tensors& in) { return flatten(in[0]); }, {x});
  CHECK_THROWS_WITH_AS(reshape(x, {5, 5}), "reshape: (5, 5) does not hold as many elements as (2, 3, 4)", Error);
}

TEST_CASE("softmax: values and gradients") {
  const Values y = values_of(softmax(tensor({0, std::log(3.0), 1000, 1000}, {2, 2})));
  CHECK(all_close(y, {0.25, 0.75, 0.5, 0.5}, 1e-12));
  check_gradients("softmax", [](const Tensors& in) { return softmax(in[0]); }, {uniform_tensor({3, 5}, 1, -2, 2)});
  check_gradients("softmax of three axes", [](const Tensors& in) { return softmax(in[0]); },
                  {uniform_tensor({2, 2, 3}, 1)});
}

TEST_CASE("softmax_cross_entropy: values and gradients") {
  const Tensor labels = Tensor::from(std::vector<int32_t>{4, 0, 2}, {3});
  const Tensor loss =
      softmax_cross_entropy(tensor({0, std::log(3.0), 1000, 0}, {2, 2}), Tensor::from(std::vector<int32_t>{1, 1}, {2}));
  CHECK(all_close(values_of(loss), {-std::log(0.75), 1000}, 1e-12));
  check_gradients("softmax_cross_entropy", [labels](const Tensors& in) { return softmax_cross_entropy(in[0], labels); },
                  {uniform_tensor({3, 5}, 1, -2, 2)});
  const Tensor logits = Tensor::zeros({3, 5});
  for (const Shape& shape : {Shape{15}, Shape{3, 5, 1}, Shape{}})
    CHECK_THROWS_WITH_AS(
        softmax_cross_entropy(Tensor::zeros(shape), labels),
        ("softmax_cross_entropy: logits are " + shape.to_string() + ", expected (rows, classes)").c_str(), Error);
  CHECK_THROWS_AS(softmax_cross_entropy(logits, Tensor::zeros({3})), Error);                // f32 labels
  CHECK_THROWS_AS(softmax_cross_entropy(logits, Tensor::full({3}, 5, DType::i32)), Error);  // past the classes
  CHECK_THROWS_AS(softmax_cross_entropy(logits, Tensor::full({3}, -1, DType::i32)), Error);
}

TEST_CASE("dropout: values and gradients") {
  const Philox random{7, Draw::dropout, 3, 11};
  check_gradients("dropout", [random](const Tensors& in) { return dropout(in[0], 0.3, random); },
                  {nonzero_tensor({50}, 1)});
  const Values y = values_of(dropout(Tensor::full({10'000}, 3.0, DType::f64), 0.25, random));
  int64_t kept = 0;
  for (double value : y) {
    REQUIRE((value == 0 || std::abs(value - 4) < 1e-12));
    kept += value != 0;
  }
  CHECK(std::abs(static_cast<double>(kept) / 10'000 - 0.75) < 0.02);
  CHECK(values_of(dropout(tensor({1, 2}, {2}), 0, random)) == Values{1, 2});
  CHECK_THROWS_AS(dropout(tensor({1, 2}, {2}), 1, random), Error);
}

}  // namespace
}  // namespace melgrad
