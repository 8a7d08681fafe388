#include "kernels/strided_copy.h"

#include <doctest/doctest.h>

#include <numeric>

#include "kernels/memory.h"
#include "kernels/reference/strided_copy.h"
#include "tests/kernels/operation_check.h"

namespace melgrad {
namespace {

using test::Inputs;
using test::OperationCase;
using test::Outputs;

struct Problem {
  const char* name;
  Shape shape, x, y;
  Walk x_walk, y_walk;
};

std::vector<Problem> problems() {
  const auto all = [](const Shape& shape) { return contiguous_walk(shape); };
  return {
      {"as it is", {3, 5, 7}, {3, 5, 7}, {3, 5, 7}, all({3, 5, 7}), all({3, 5, 7})},
      {"transposed", {37, 129}, {129, 37}, {37, 129}, {{1, 37}}, all({37, 129})},
      {"middle axes exchanged", {2, 5, 3, 4}, {2, 3, 5, 4}, {2, 5, 3, 4}, {{60, 4, 20, 1}}, all({2, 5, 3, 4})},
      {"every second row, from the second on", {4, 6}, {9, 6}, {4, 6}, {{12, 1}, 6}, all({4, 6})},
      {"into a wider array", {4, 6}, {4, 6}, {4, 11}, all({4, 6}), {{11, 1}, 3}},
      {"backwards", {3, 300}, {3, 300}, {3, 300}, {{300, -1}, 299}, all({3, 300})},
      {"repeated", {5, 33}, {33}, {5, 33}, {{0, 1}}, all({5, 33})},
      {"one element", {1, 1}, {1}, {1}, {}, {}},
      {"nothing", {0, 4}, {0, 4}, {0, 4}, all({0, 4}), all({0, 4})},
      {"a scalar", {}, {1}, {1}, {}, {}},
      {"planes transposed", {3, 35, 50}, {3, 50, 35}, {3, 35, 50}, {{1750, 1, 35}}, all({3, 35, 50})},
      {"a plane transposed into part of another", {17, 33}, {40, 30}, {20, 41}, {{1, 30}, 35}, {{41, 1}, 45}},
      {"more than one chunk", {70, 1000}, {70, 1000}, {1000, 70}, all({70, 1000}), {{1, 70}}},
      {"planes transposed, more of them than strips",
       {17, 18, 19},
       {17, 19, 18},
       {17, 18, 19},
       {{342, 1, 18}},
       all({17, 18, 19})},
      {"planes along two axes transposed",
       {2, 3, 17, 18},
       {3, 2, 18, 17},
       {2, 3, 17, 18},
       {{306, 612, 1, 17}},
       all({2, 3, 17, 18})},
      {"a plane transposed into rows twice as wide", {33, 33}, {33, 33}, {33, 66}, {{1, 33}}, {{66, 1}}},
      {"every second, transposed", {18, 19}, {19, 36}, {18, 19}, {{2, 36}}, all({18, 19})},
      {"transposed into every second", {18, 19}, {18, 19}, {19, 36}, all({18, 19}), {{2, 36}}},
      {"columns and no rows", {18, 19}, {19, 36}, {19, 36}, {{1, 36}}, {{2, 36}}},
      {"every second", {7}, {14}, {7}, {{2}}, all({7})},
      {"into every second", {7}, {7}, {14}, all({7}), {{2}}},
      {"windows that overlap", {5, 4}, {8}, {5, 4}, {{1, 1}}, all({5, 4})},
      {"axes that are one in x alone", {3, 3}, {3, 3}, {27}, all({3, 3}), {{3, 9}}},
  };
}

TEST_CASE("strided copies agree with the reference") {
  for (const Problem& p : problems())
    for (bool add : {false, true}) {
      OperationCase one;
      one.name = fmt::format("strided_{} {}", add ? "add" : "copy", p.name);
      one.inputs = {{p.x}};
      one.outputs = {{p.y}};
      one.run = [=](Stream& stream, Inputs in, Outputs out) {
        fill(out[0], 2);  // what is not visited stays
        (add ? strided_add : strided_copy)(stream, p.shape, in[0], p.x_walk, out[0], p.y_walk);
      };
      one.reference = [=](Inputs in, Outputs out) {
        fill(out[0], 2);
        (add ? reference::strided_add<double> : reference::strided_copy<double>)(p.shape, in[0], p.x_walk, out[0],
                                                                                 p.y_walk);
      };
      one.exact_on_integers = true;
      test::check(one);
    }
}

TEST_CASE("strided copies of whole numbers") {
  std::vector<int32_t> x(6), y(6);
  std::iota(x.begin(), x.end(), 0);
  Stream stream(Device::cpu);
  strided_copy(stream, {3, 2}, {x.data(), {6}, DType::i32}, {{1, 3}}, {y.data(), {6}, DType::i32}, {{2, 1}});
  CHECK(y == std::vector<int32_t>{0, 3, 1, 4, 2, 5});
}

TEST_CASE("strided copies refuse walks that leave an array") {
  float x[6] = {}, y[6];
  Stream stream(Device::cpu);
  const ConstView from{x, {6}};
  const View to{y, {6}};
  CHECK_THROWS_WITH_AS(strided_copy(stream, {3, 2}, from, {{2, 1}, 1}, to, {{2, 1}}),
                       "strided_copy: the walk over x reaches elements 1 to 6 of 6", Error);
  CHECK_THROWS_WITH_AS(strided_add(stream, {2}, from, {{1}}, to, {{-1}}),
                       "strided_add: the walk over y reaches elements -1 to 0 of 6", Error);
}

TEST_CASE("strided copy cost") {
  CHECK(strided_copy_cost(10, 4) == Cost{0, 80});
  CHECK(strided_add_cost(10, 4) == Cost{10, 120});
}

}  // namespace
}  // namespace melgrad
