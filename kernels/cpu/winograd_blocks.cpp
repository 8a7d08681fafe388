#include <algorithm>

#include "kernels/cpu/winograd.h"

namespace melgrad::cpu {
namespace {

// 72 tiles of 8 points and 128 channels are 295 KB: transformed input and gradient fit an L2 cache of 1 MB together. A
// multiple of the 12 tiles that the product kernel takes at once.
constexpr int64_t block_tiles = 72;
// With row taps a block pays for the rows around it: larger, and a quarter of a row wide at most.
constexpr int64_t block_floats = 1 << 17, point_count = 8, strip_tiles = 24;

int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace

bool winograd_applies(const Conv2dProblem& problem) {
  const Conv2dProblem p = as_one_row(problem);
  return p.groups == 1 && (p.columns.size == 3 || p.columns.size == 2) && p.columns.stride == 1 && p.columns.dilation == 1 &&
         p.rows.stride == 1 && p.rows.dilation == 1;
}

std::vector<TileBlock> tile_blocks(int64_t n, int64_t rows, int64_t tiles, int64_t taps, int64_t channels, bool overlap,
                                   int64_t row_step, int64_t tile_step) {
  const int64_t most = taps == 1 ? block_tiles : std::max(block_tiles, block_floats / (point_count * channels));
  // A piece of a row, in whole dozens of tiles where windows allow it.
  int64_t strip = std::min(tiles, taps == 1 ? block_tiles : std::max(strip_tiles, most / (2 * taps) / 12 * 12));
  if (strip < tiles) strip = std::max(tile_step, strip / tile_step * tile_step);
  if (overlap && strip < tiles) --strip;
  const int64_t high = std::clamp<int64_t>(most / strip - (taps - 1), std::min(row_step, rows), rows);
  const int64_t deep = strip < tiles || high < rows ? 1 : std::clamp<int64_t>(most / (tiles * (rows + taps - 1)), 1, n);
  std::vector<TileBlock> blocks;
  // Pieces of like size along each axis.
  const int64_t samples = ceil_div(n, ceil_div(n, deep));
  const int64_t heights = ceil_div(ceil_div(rows, ceil_div(rows, high)), row_step) * row_step;
  for (int64_t sample = 0; sample < n; sample += samples)
    for (int64_t row = 0; row < rows; row += heights)
      for (int64_t tile = 0; tile < tiles; tile += strip) {
        const int64_t halo = overlap && tile > 0 ? 1 : 0;
        blocks.push_back({sample, std::min(samples, n - sample), row, std::min(heights, rows - row), tile - halo,
                          std::min(strip, tiles - tile) + halo, halo != 0});
      }
  return blocks;
}

bool shares_blocks(const std::vector<TileBlock>& blocks) {
  return blocks.size() < 24;
}

}  // namespace melgrad::cpu
