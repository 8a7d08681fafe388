#include "kernels/elementwise.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "kernels/memory.h"
#include "kernels/reference/elementwise.h"
#include "tests/kernels/operation_check.h"

namespace melgrad {
namespace {

using test::Inputs;
using test::OperationCase;
using test::Outputs;

const Binary all_operations[] = {Binary::add, Binary::subtract, Binary::multiply, Binary::divide};

struct Pair {
  Shape a, b;
};
const Pair pairs[] = {
    {{}, {}},
    {{0}, {1}},
    {{0, 3}, {3}},
    {{1}, {7}},
    {{31}, {31}},
    {{40'009}, {40'009}},
    {{40'009}, {}},
    {{257, 33}, {33}},             // a channel's number
    {{257, 33}, {257, 1}},         // a row's number
    {{257, 1}, {33}},              // an outer sum
    {{5, 1, 3, 1}, {4, 1, 17}},    // both repeat, ranks differ
    {{2, 3, 4, 5}, {3, 1, 5}},     // repeats in the middle
    {{2, 3, 4, 5}, {2, 1, 1, 5}},  // two neighbours repeat
    {{2, 1, 3, 1, 2, 1}, {1, 2, 1, 3, 1, 2}},
    {{3, 2048, 16}, {2048, 1}},
    {{6, 6}, {6}},           // axes of one size, which are not one axis
    {{3, 4, 4}, {3, 1, 4}},  // nor here
};

// One rounding of the result, or two with a factor that f32 rounds: eps · |result| allows that, and nothing more.
void no_magnitude(Inputs, Outputs out) {
  fill(out[0], 0);
}

TEST_CASE("elementwise_binary agrees with the reference in all forms of broadcasting") {
  for (Binary operation : all_operations) {
    for (const auto& [one, other] : pairs) {
      for (bool swapped : {false, true}) {
        const Shape& a = swapped ? other : one;
        const Shape& b = swapped ? one : other;
        OperationCase binary;
        binary.name = fmt::format("elementwise_binary {} {} {}", name_of(operation), a.to_string(), b.to_string());
        binary.inputs = {{a}, {b, operation == Binary::divide ? test::positive_values() : test::normal_values()}};
        binary.outputs = {{broadcast_shape("test", a, b)}};
        binary.run = [=](Stream& stream, Inputs in, Outputs out) {
          elementwise_binary(stream, operation, in[0], in[1], out[0]);
        };
        binary.reference = [=](Inputs in, Outputs out) {
          reference::elementwise_binary<double>(operation, in[0], in[1], out[0]);
        };
        binary.magnitude = no_magnitude;
        binary.exact_on_integers = operation != Binary::divide;
        test::check(binary);
      }
    }
  }
}

TEST_CASE("elementwise_scale agrees with the reference") {
  std::vector<Pair> all(std::begin(pairs), std::end(pairs));
  all.push_back({{0, 3}, {0, 1}});
  for (const auto& [large, small] : all) {
    const Shape y = broadcast_shape("test", large, small);
    OperationCase scale;
    scale.name = fmt::format("elementwise_scale {} to {}", small.to_string(), y.to_string());
    scale.inputs = {{small}};
    scale.outputs = {{y}};
    scale.run = [](Stream& stream, Inputs in, Outputs out) { elementwise_scale(stream, -0.3, in[0], out[0]); };
    scale.reference = [](Inputs in, Outputs out) { reference::elementwise_scale<double>(-0.3, in[0], out[0]); };
    scale.magnitude = no_magnitude;
    test::check(scale);
    scale.run = [](Stream& stream, Inputs in, Outputs out) { elementwise_scale(stream, -3, in[0], out[0]); };
    scale.reference = [](Inputs in, Outputs out) { reference::elementwise_scale<double>(-3, in[0], out[0]); };
    scale.exact_on_integers = true;
    test::check(scale);
  }
}

TEST_CASE("elementwise_binary in chunks that end amid a row") {
  for (const auto& [a, b] : {Pair{{2003, 33}, {33}}, Pair{{2003, 33}, {2003, 1}}}) {
    OperationCase binary;
    binary.name = fmt::format("elementwise_binary {} {}", a.to_string(), b.to_string());
    binary.inputs = {{a}, {b}};
    binary.outputs = {{a}};
    binary.run = [](Stream& stream, Inputs in, Outputs out) {
      elementwise_binary(stream, Binary::subtract, in[0], in[1], out[0]);
    };
    binary.reference = [](Inputs in, Outputs out) {
      reference::elementwise_binary<double>(Binary::subtract, in[0], in[1], out[0]);
    };
    binary.magnitude = no_magnitude;
    binary.devices = {Device::cpu};
    test::check(binary);
  }
}

// The definition again, without the reference's index arithmetic.
TEST_CASE("elementwise_binary by hand") {
  const float a[2][3] = {{1, 2, 3}, {4, 5, 6}}, row[3] = {10, 20, 30}, column[2] = {100, 200};
  float y[2][3];
  Stream stream(Device::cpu);
  elementwise_binary(stream, Binary::add, {a, Shape{2, 3}}, {row, Shape{3}}, {y, Shape{2, 3}});
  CHECK(y[1][0] == 14);
  CHECK(y[0][2] == 33);
  elementwise_binary(stream, Binary::subtract, {column, Shape{2, 1}}, {a, Shape{2, 3}}, {y, Shape{2, 3}});
  CHECK(y[0][2] == 97);
  CHECK(y[1][0] == 196);
  elementwise_binary(stream, Binary::divide, {row, Shape{3}}, {column, Shape{2, 1}}, {y, Shape{2, 3}});
  CHECK(y[0][1] == 0.2f);
  CHECK(y[1][0] == 0.05f);
}

TEST_CASE("elementwise in place") {
  constexpr std::size_t n = 100'003;  // several chunks: each element is met once
  std::vector<float> a(n), b(n);
  for (std::size_t i = 0; i < n; ++i) a[i] = b[i] = static_cast<float>(i);
  const Shape shape{n};
  Stream stream(Device::cpu);
  elementwise_binary(stream, Binary::add, {a.data(), shape}, {b.data(), shape}, {a.data(), shape});
  elementwise_binary(stream, Binary::subtract, {a.data(), shape}, {b.data(), shape}, {b.data(), shape});
  elementwise_binary(stream, Binary::add, {a.data(), shape}, {a.data(), shape}, {a.data(), shape});
  elementwise_scale(stream, 0.5, {a.data(), shape}, {a.data(), shape});
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < n; ++i) wrong += a[i] != static_cast<float>(2 * i) || b[i] != static_cast<float>(i);
  CHECK(wrong == 0);
}

TEST_CASE("elementwise: errors and cost") {
  float x[6] = {}, y[6];
  Stream stream(Device::cpu);
  CHECK_THROWS_WITH_AS(elementwise_binary(stream, Binary::add, {x, Shape{2, 3}}, {x, Shape{2}}, {y, Shape{2, 3}}),
                       "elementwise_binary: (2, 3) and (2) do not broadcast", Error);
  CHECK_THROWS_WITH_AS(elementwise_binary(stream, Binary::add, {x, Shape{2, 3}}, {x, Shape{3}}, {y, Shape{6}}),
                       "elementwise_binary: y is (6), expected (2, 3)", Error);
  CHECK_THROWS_WITH_AS(elementwise_scale(stream, 1, {x, Shape{2, 3}}, {y, Shape{2, 1}}),
                       "elementwise_scale: x is (2, 3), which does not broadcast to y's (2, 1)", Error);
  CHECK(broadcast_shape("test", {4, 1}, {2, 1, 0}) == Shape{2, 4, 0});
  CHECK_THROWS_AS(broadcast_shape("test", {0}, {2}), Error);
  CHECK(binary_cost(10, 4) == Cost{10, 120});
  CHECK(scale_cost(10, 4) == Cost{10, 80});
}

}  // namespace
}  // namespace melgrad
