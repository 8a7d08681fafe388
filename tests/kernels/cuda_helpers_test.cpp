// The index arithmetic that CUDA kernels share, as the simt device compiles it.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/bf16.h"
#include "kernels/cuda/walks.h"
#include "kernels/cuda/windows.h"
#include "kernels/philox.h"
#include "kernels/reference/strided_copy.h"

namespace melgrad::simt {
namespace {

TEST_CASE("Divider divides by multiplying") {
  constexpr int64_t limit = int64_t{1} << 31;
  std::vector<int64_t> numbers{0, 1, 2, 3, 7, 641, 65'535, 65'536, limit - 1, limit, limit + 1, 3 * limit + 5};
  Generator random(1, Draw::test);
  for (int i = 0; i < 200; ++i) numbers.push_back(random.next() >> (i % 32));
  for (int64_t divisor : numbers) {
    if (divisor == 0) continue;
    const Divider by(divisor);
    for (int64_t number : numbers) {
      // Multiples and their neighbours are where a rounded reciprocal goes wrong.
      for (int64_t dividend : {number, number / divisor * divisor, number / divisor * divisor + divisor - 1}) {
        CHECK(by.quotient(dividend) == dividend / divisor);
        int64_t whole = dividend;
        CHECK(by.split(whole) == dividend % divisor);
        CHECK(whole == dividend / divisor);
      }
    }
  }
}

TEST_CASE("bf16 is the nearest of 8 bits, ties to even; infinities and NaN stay") {
  CHECK(float_from_bf16(bf16_bits(1.0f)) == 1.0f);
  CHECK(float_from_bf16(bf16_bits(-255.0f)) == -255.0f);
  CHECK(float_from_bf16(bf16_bits(257.0f)) == 256.0f);  // between 256 and 258: the even one
  CHECK(float_from_bf16(bf16_bits(259.0f)) == 260.0f);
  CHECK(float_from_bf16(bf16_bits(257.001f)) == 258.0f);
  CHECK(float_from_bf16(bf16_bits(std::numeric_limits<float>::max())) == INFINITY);
  CHECK(float_from_bf16(bf16_bits(-INFINITY)) == -INFINITY);
  CHECK(std::isnan(float_from_bf16(bf16_bits(NAN))));
  CHECK(std::isnan(float_from_bf16(bf16_bits(std::bit_cast<float>(0x7f800001u)))));
}

TEST_CASE("joined walks visit what the walks visit, in fewer axes") {
  const Shape shape{3, 1, 4, 5, 2};
  const Walk dense = contiguous_walk(shape);
  Walk transposed{{2, 0, 6, 24, 1}, 7};
  CHECK(joined_walks<2>(shape, {dense, dense}).rank == 1);
  CHECK(joined_walks<1>({}, {Walk{}}).rank == 1);
  const Walks<2> joined = joined_walks<2>(shape, {dense, transposed});
  CHECK(joined.rank == 4);
  // A number a channel of the last two axes: stride 0 joins what it repeats over.
  const Walk repeated = broadcast_walk({5, 2}, shape);
  CHECK(joined_walks<2>(shape, {dense, repeated}).rank == 2);
  for (int64_t i = 0; i < shape.numel(); ++i) {
    int64_t places[2];
    joined.at(i, places);
    CHECK(places[0] == i);
    CHECK(places[1] == reference::place(transposed, reference::coordinates(shape, i)));
  }
}

TEST_CASE("windows that cover an element are those that read it") {
  for (const Window& window : {Window{3, 2, 1, 1, 1}, Window{2, 3, 2, 0, 2}, Window{5, 1, 3, 4, 7}, Window{1, 2}}) {
    constexpr int64_t length = 17;
    const WindowAxis axis(window, length);
    std::vector<std::vector<int64_t>> reads(length), covers(length);
    for (int64_t position = 0; position < window.output(length); ++position)
      axis.for_each_tap(position, [&](int64_t tap, int64_t element) {
        CHECK(element == window.input(position, tap));
        reads[static_cast<std::size_t>(element)].push_back(tap * 100 + position);
      });
    for (int64_t element = 0; element < length; ++element) {
      auto& of_element = reads[static_cast<std::size_t>(element)];
      auto& found = covers[static_cast<std::size_t>(element)];
      axis.for_each_cover(element, [&](int64_t tap, int64_t position) { found.push_back(tap * 100 + position); });
      std::sort(of_element.begin(), of_element.end());
      CHECK(found == of_element);
    }
  }
}

}  // namespace
}  // namespace melgrad::simt
