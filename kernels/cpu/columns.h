// How operations over the rows of a (rows, channels) array are cut on the CPU; see columns-inl.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace melgrad::cpu {

// A few channels do not fill vector registers, and a sum down one column waits for each addition. So several
// consecutive rows are read as one wide row, and the sums of its columns are folded into those of the channels.
struct Columns {
  int64_t rows, channels;
  int64_t width;  // channels times the rows in a wide row
  int64_t chunk;  // elements a chunk: wide rows of about 64 KB in all, which stay in L2 between two passes

  Columns(int64_t row_count, int64_t channel_count) : rows(row_count), channels(channel_count) {
    constexpr int64_t lanes = 64, elements = 16'384;
    int64_t repeats = channels >= lanes ? 1 : lanes / std::gcd(channels, lanes);
    while (repeats > 1 && rows < 4 * repeats) repeats /= 2;
    width = std::max<int64_t>(1, repeats * channels);
    // No fewer than 16 rows, else the partial sums are as much memory as the input.
    chunk = std::max<int64_t>({elements / width, 16 / repeats, 1}) * width;
  }

  int64_t elements() const { return rows * channels; }
  int64_t chunks() const { return (elements() + chunk - 1) / chunk; }
};

}  // namespace melgrad::cpu
