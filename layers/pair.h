// Sizes along height and width, from one number or two.
#pragma once

#include <cstdint>

namespace melgrad {

struct Pair {
  int64_t rows;
  int64_t columns;

  constexpr Pair(int64_t both) : rows(both), columns(both) {}  // NOLINT: `.kernel = 3` is the point
  constexpr Pair(int64_t r, int64_t c) : rows(r), columns(c) {}
  constexpr bool operator==(const Pair&) const = default;
};

}  // namespace melgrad
