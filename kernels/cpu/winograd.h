// Convolutions by Winograd's F(m, 3) along the columns: where the work is cut, and the plain convolution's entry points.
//
// A problem qualifies if its columns are 3 or 2 wide with stride and dilation 1, its rows have stride and dilation 1 (any
// number of taps) and it has one group. A Conv1D of width 1 is turned on its side first: (n, l, 1, c) and (n, 1, l, c) are
// the same memory. Row taps add up in the transformed domain, as more channels would.
//
// Cost of a direction: (m + 2) / (3m) of the direct multiply-adds, 0.44 for m = 6 and 0.5 for m = 4, as m + 2 matrix
// products; for columns 2 wide, by F(7, 2) or F(5, 2) of as many points, 0.57 and 0.6. Products are of (tiles × c) by (c × o); transforms of 28 and 24 additions a vector of x and y, which matter below 32
// channels. Bottleneck: multiply-adds, as long as a block of tiles stays in the L2 cache.
#pragma once

#include <limits>
#include <vector>

#include "kernels/conv2d.h"

namespace melgrad::cpu {

bool winograd_applies(const Conv2dProblem& problem);

// F(4, 3) or F(6, 3), of columns 2 wide F(5, 2) or F(7, 2): 4 or 6 for the one with fewer products for a row; of equals 6.
constexpr int fewest_products(const Conv2dProblem& p) {
  const int64_t more = p.columns.size == 2 ? 1 : 0, four = 4 + more, six = 6 + more, width = p.w_out();
  return 6 * ((width + four - 1) / four) < 8 * ((width + six - 1) / six) ? 4 : 6;
}

// Tiles [tile, tile + tiles) of rows [row, row + rows) of samples [sample, sample + samples): what is transformed and
// multiplied together. `halo` says that the first tile belongs to the block before and is computed for its overlap.
struct TileBlock {
  int64_t sample, samples, row, rows, tile, tiles;
  bool halo = false;
};

// The blocks of n images of `rows` rows of `tiles` tiles; `taps` rows are read around each, `channels` at a time.
// `overlap` adds a halo tile to blocks that start inside a row. Blocks start at multiples of `row_step` and `tile_step`
// (a pool's windows). Depends on the sizes alone, never on threads.
std::vector<TileBlock> tile_blocks(int64_t n, int64_t rows, int64_t tiles, int64_t taps, int64_t channels, bool overlap,
                                   int64_t row_step = 1, int64_t tile_step = 1);

// Few tiles: transformed blocks are shared and products are cut by output channels. Many: each block by itself.
bool shares_blocks(const std::vector<TileBlock>& blocks);

// What y goes through as it is stored: max(y + bias, floor), a NaN staying one.
struct WinogradFinish {
  const float* bias = nullptr;
  float floor = -std::numeric_limits<float>::infinity();
};

// y, dx or dweight of a problem that qualifies, by F(outputs, 3) with `outputs` 4 or 6, or F(outputs + 1, 2). Bit-equal for any threads.
void winograd_forward(Stream& stream, const Conv2dProblem& problem, int outputs, const float* x, const float* weight,
                      float* y, const WinogradFinish& finish = {});
void winograd_backward_data(Stream& stream, const Conv2dProblem& problem, int outputs, const float* dy,
                            const float* weight, float* dx);
void winograd_backward_weight(Stream& stream, const Conv2dProblem& problem, int outputs, const float* dy,
                              const float* x, float* dweight);

}  // namespace melgrad::cpu
