// A convolution's products, whose operands are never copied out: conv2d_operands.h says what is multiplied. Shared by the
// convolution and by the fused block around it.
//
// The weight gradient's long sum over pixels is cut into at most 64 chunks, by the problem alone; a block sums one of them,
// and kernels/cuda/columns.h adds the chunks in order.
#pragma once

#include "kernels/cuda/columns.h"
#include "kernels/cuda/conv2d_operands.h"
#include "kernels/cuda/tensor_core.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

// Which units multiply: gemm.h or tensor_core.h.
enum class Units : uint8_t { cuda_cores, tensor_cores };

template <class Tile, Units units, class A, class B, class Store>
__device__ __forceinline__ void multiply(const A& a, const B& b, int64_t first_a, int64_t first_b, int64_t first_step,
                                         int64_t last_step, const Store& store) {
  if constexpr (units == Units::tensor_cores)
    multiply_tile_bf16<Tile>(a, b, first_a, first_b, first_step, last_step, store);
  else
    multiply_tile<Tile>(a, b, first_a, first_b, first_step, last_step, store);
}

// c (pixels, channels) = a × b, of one group a plane of the grid.
template <class Tile, Units units, class A, class B>
__global__ void __launch_bounds__(gemm_threads, 2)
    conv2d_product_kernel(A a, B b, int64_t a_channels, int64_t b_offset, Global<float> c, int64_t pixels,
                          int64_t group, int64_t channels, int64_t steps) {
  if constexpr (requires { a.first_channel; }) a.first_channel = blockIdx.z * a_channels;
  b = b.moved(blockIdx.z * b_offset);
  const Global<float> of_group = c + blockIdx.z * group;
  multiply<Tile, units>(a, b, int64_t{blockIdx.x} * Tile::a, int64_t{blockIdx.y} * Tile::b, 0, steps,
                        [&](int64_t pixel, int64_t channel, float sum) {
                          if (pixel < pixels && channel < group) of_group[pixel * channels + channel] = sum;
                        });
}

// A chunk's part of dw (patch, o), summed over its pixels.
template <class Tile, Units units, class A, class B>
__global__ void __launch_bounds__(gemm_threads, 2)
    conv2d_weight_kernel(A a, B b, int64_t group_c, int64_t group_o, Global<float> partial, int64_t patch, int64_t o,
                         int64_t pixels, int64_t pixels_per_chunk, Divider tiles) {
  if constexpr (requires { a.first_channel; }) a.first_channel = blockIdx.z * group_c;
  b = b.moved(blockIdx.z * group_o);
  int64_t chunk = blockIdx.x;
  const int64_t tile = tiles.split(chunk);
  const int64_t first = chunk * pixels_per_chunk, last = std::min(first + pixels_per_chunk, pixels);
  const Global<float> of_group = partial + (chunk * patch * o + blockIdx.z * group_o);
  multiply<Tile, units>(a, b, tile * Tile::a, int64_t{blockIdx.y} * Tile::b, first, last,
                        [&](int64_t element, int64_t channel, float sum) {
                          if (element < patch && channel < group_o) of_group[element * o + channel] = sum;
                        });
}

// Calls body.operator()<Tile>() with the tile for a product of so many columns.
template <class Body>
void with_tile(int64_t columns, const Body& body) {
  columns <= TallTile::b ? body.template operator()<TallTile>() : body.template operator()<SquareTile>();
}

// y = patches × weight, dx = patches of dy × weight transposed.
template <Units units, class A, class B>
void product(Stream& stream, const Conv2dProblem& p, const A& a, int64_t a_channels, const B& b, int64_t b_offset,
             View c, int64_t group, int64_t steps) {
  const int64_t channels = group * p.groups, pixels = c.numel() / channels;
  if (pixels == 0) return;
  with_tile(group, [&]<class Tile>() {
    const dim3 grid(blocks_for(pixels, Tile::a), blocks_for(group, Tile::b), blocks_for(p.groups, 1));
    launch<conv2d_product_kernel<Tile, units, A, B>>(grid, gemm_threads, 0, stream, a, b, a_channels, b_offset,
                                                     global<float>(c), pixels, group, channels, steps);
  });
}

inline RowsOfChannels weight_rows(const Conv2dProblem& p, ConstView weight) {
  return {global<const float>(weight), p.group_o(), p.taps() * p.group_c(), p.o};
}

template <Units units = Units::cuda_cores, class A>
void forward_product(Stream& stream, const Conv2dProblem& p, const A& patches, ConstView weight, View y) {
  product<units>(stream, p, patches, p.group_c(), weight_rows(p, weight), p.group_o(), y, p.group_o(),
                 p.taps() * p.group_c());
}

// Every chunk is whole pieces of the product, and there are 64 at most.
inline int64_t chunk_of(int64_t pixels) {
  constexpr int64_t least = 512, most_chunks = 64;
  const int64_t chunk = std::max(least, (pixels + most_chunks - 1) / most_chunks);
  return (chunk + gemm_depth - 1) / gemm_depth * gemm_depth;
}

template <Units units = Units::cuda_cores, class A, class B>
void weight_product(Stream& stream, const Conv2dProblem& p, const B& gradient, const A& patches, View dweight) {
  const int64_t pixels = p.n * p.h_out() * p.w_out(), patch = p.taps() * p.group_c(), chunk = chunk_of(pixels);
  const int64_t chunks = (pixels + chunk - 1) / chunk;
  const Buffer memory = stream.workspace(chunks * dweight.bytes());
  const Global<float> partial = global<float>(memory);
  if (chunks > 0) {
    with_tile(p.group_o(), [&]<class Tile>() {
      const unsigned tiles = blocks_for(patch, Tile::a);
      const dim3 grid(blocks_for(tiles * chunks, 1), blocks_for(p.group_o(), Tile::b), blocks_for(p.groups, 1));
      launch<conv2d_weight_kernel<Tile, units, A, B>>(grid, gemm_threads, 0, stream, patches, gradient, p.group_c(),
                                                      p.group_o(), partial, patch, p.o, pixels, chunk, Divider(tiles));
    });
  }
  sum_rows(stream, partial, chunks, dweight.numel(), global<float>(dweight));
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
