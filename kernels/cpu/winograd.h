// Convolutions by Winograd's F(m, 3) along the columns: where the work is cut, and the plain convolution's entry points.
//
// A problem qualifies if its columns are 3 wide with stride and dilation 1, its rows have stride and dilation 1 (any
// number of taps) and it has one group. A Conv1D of width 1 is turned on its side first: (n, l, 1, c) and (n, 1, l, c) are
// the same memory. Row taps add up in the transformed domain, as more channels would.
//
// Cost of a direction: (m + 2) / (3m) of the direct multiply-adds, 0.44 for m = 6 and 0.5 for m = 4, as m + 2 matrix
// products of (tiles × c) by (c × o); transforms of 28 and 24 additions a vector of x and y, which matter below 32
// channels. Bottleneck: multiply-adds, as long as a block of tiles stays in the L2 cache.
#pragma once

#include <vector>

#include "kernels/conv2d.h"

namespace melgrad::cpu {

bool winograd_applies(const Conv2dProblem& problem);

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

// y, dx or dweight of a problem that qualifies, by F(outputs, 3) with `outputs` 4 or 6. Bit-equal for any threads.
void winograd_forward(Stream& stream, const Conv2dProblem& problem, int outputs, const float* x, const float* weight,
                      float* y);
void winograd_backward_data(Stream& stream, const Conv2dProblem& problem, int outputs, const float* dy,
                            const float* weight, float* dx);
void winograd_backward_weight(Stream& stream, const Conv2dProblem& problem, int outputs, const float* dy,
                              const float* x, float* dweight);

}  // namespace melgrad::cpu
