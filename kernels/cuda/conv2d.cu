// Convolution 2-D.
//
// implicit_gemm: a matrix product (kernels/cuda/gemm.h) whose left operand is never copied out; conv2d_operands.h says
// what is multiplied in each direction. The weight gradient's long sum over pixels is cut into at most 64 chunks, by the
// problem alone; a block sums one of them, and kernels/cuda/columns.h adds the chunks in order.
// strided_gemm: the same where x has one axis: its patches are overlapping rows of memory, and no index is divided.
// tensor_core: implicit_gemm with operands rounded to bf16 (kernels/cuda/tensor_core.h).
// cudnn, cudnn_tf32: the library (kernels/cuda/conv2d_cudnn.cu).
// direct: a thread an element, which walks over its window. What depthwise convolutions take: tiles of a product would be
// empty but for a line.
// Bottleneck: the multiplier with many channels; with few (the networks' first layer has one) the fetching of patches.
// Launch: product: 256 threads a tile; tiles of pixels (and chunks) along x, of channels along y, groups along z; 17 to
// 21 KB of shared memory. Direct: blocks of 256 threads, enough to fill the GPU.
#include "kernels/cuda/columns.h"
#include "kernels/cuda/conv2d_cudnn.h"
#include "kernels/cuda/conv2d_operands.h"
#include "kernels/cuda/tensor_core.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int threads = 256;

// ---- products

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

template <Units units = Units::cuda_cores, class A>
void forward_product(Stream& stream, const Conv2dProblem& p, const A& patches, ConstView weight, View y) {
  const int64_t patch = p.taps() * p.group_c();
  const RowsOfChannels rows{global<const float>(weight), p.group_o(), patch, p.o};
  product<units>(stream, p, patches, p.group_c(), rows, p.group_o(), y, p.group_o(), patch);
}

// Every chunk is whole pieces of the product, and there are 64 at most.
int64_t chunk_of(int64_t pixels) {
  constexpr int64_t least = 512, most_chunks = 64;
  const int64_t chunk = std::max(least, (pixels + most_chunks - 1) / most_chunks);
  return (chunk + gemm_depth - 1) / gemm_depth * gemm_depth;
}

template <Units units = Units::cuda_cores, class A>
void weight_product(Stream& stream, const Conv2dProblem& p, ConstView dy, const A& patches, View dweight) {
  const int64_t pixels = p.n * p.h_out() * p.w_out(), patch = p.taps() * p.group_c(), chunk = chunk_of(pixels);
  const int64_t chunks = (pixels + chunk - 1) / chunk;
  const Buffer memory = stream.workspace(chunks * dweight.bytes());
  const Global<float> partial = global<float>(memory);
  if (chunks > 0) {
    with_tile(p.group_o(), [&]<class Tile>() {
      const unsigned tiles = blocks_for(patch, Tile::a);
      const dim3 grid(blocks_for(tiles * chunks, 1), blocks_for(p.group_o(), Tile::b), blocks_for(p.groups, 1));
      launch<conv2d_weight_kernel<Tile, units, A, RowsOfChannels>>(
          grid, gemm_threads, 0, stream, patches, RowsOfChannels{global<const float>(dy), p.group_o(), pixels, p.o},
          p.group_c(), p.group_o(), partial, patch, p.o, pixels, chunk, Divider(tiles));
    });
  }
  sum_rows(stream, partial, chunks, dweight.numel(), global<float>(dweight));
}

// ---- direct

__global__ void __launch_bounds__(threads)
    conv2d_forward_kernel(ConvShape shape, int64_t n, Divider o, Global<const float> x, Global<const float> weight,
                          Global<float> y) {
  for_each_index(n, [&](int64_t i) {
    int64_t pixel = i;
    const int64_t channel = o.split(pixel), c = shape.group_c.divisor();
    const int64_t first_channel = shape.group_o.quotient(channel) * c;
    const PixelStart start = start_of_pixel(shape, pixel);
    float sum = 0.0f;
    for (int64_t element = 0; element < shape.patch(); ++element)
      sum += patch_element(shape, x, start, place_in_patch(shape, element, first_channel)) *
             weight[element * shape.o + channel];
    y[i] = sum;
  });
}

__global__ void __launch_bounds__(threads)
    conv2d_backward_data_kernel(PatchesOfGradient patches, WeightTransposed weight, int64_t n, Divider c,
                                Global<float> dx) {
  const ConvShape& shape = patches.shape;
  for_each_index(n, [&](int64_t i) {
    int64_t pixel = i;
    const int64_t channel = c.split(pixel);
    const int64_t group = shape.group_c.quotient(channel), o = shape.group_o.divisor();
    const PatchesOfGradient::Line line = patches.line(pixel);
    float sum = 0.0f;
    for (int64_t element = 0; element < shape.taps() * o; ++element) {
      PatchesOfGradient::Step step = patches.step(element);
      step.channel += group * o;
      sum += patches.load(line, step) *
             weight.weight[weight.step(element) + (channel - group * shape.group_c.divisor()) * shape.o + group * o];
    }
    dx[i] = sum;
  });
}

__global__ void __launch_bounds__(threads)
    conv2d_backward_weight_kernel(ConvShape shape, int64_t n, Divider o, Global<const float> dy, Global<const float> x,
                                  Global<float> dweight) {
  for_each_index(n, [&](int64_t i) {
    int64_t element = i;
    const int64_t channel = o.split(element);
    const int64_t first_channel = shape.group_o.quotient(channel) * shape.group_c.divisor();
    const PatchPlace place = place_in_patch(shape, element, first_channel);
    float sum = 0.0f;
    for (int64_t pixel = 0; pixel < shape.pixels_of_y; ++pixel)
      sum += patch_element(shape, x, start_of_pixel(shape, pixel), place) * dy[pixel * shape.o + channel];
    dweight[i] = sum;
  });
}

// ---- the choice

constexpr ConvAlgorithm algorithms[] = {ConvAlgorithm::direct,        ConvAlgorithm::strided_gemm,
                                        ConvAlgorithm::implicit_gemm, ConvAlgorithm::tensor_core,
                                        ConvAlgorithm::cudnn,         ConvAlgorithm::cudnn_tf32};

bool is_cudnn(ConvAlgorithm algorithm) {
  return algorithm == ConvAlgorithm::cudnn || algorithm == ConvAlgorithm::cudnn_tf32;
}
CudnnMath math_of(ConvAlgorithm algorithm) {
  return algorithm == ConvAlgorithm::cudnn_tf32 ? CudnnMath::tf32 : CudnnMath::f32;
}

bool supports(const Conv2dProblem& problem, ConvAlgorithm algorithm) {
  if (is_cudnn(algorithm)) return cudnn_supports(problem) && cudnn_is_there();
  if (algorithm != ConvAlgorithm::strided_gemm) return true;
  const Conv2dProblem p = as_one_row(problem);
  return p.h == 1 && p.rows == Window{} && p.columns.dilation == 1 && p.groups == 1;
}

ConvAlgorithm automatic(const Conv2dProblem& p) {
  constexpr int64_t small_group = 4;  // channels: a tile of the product would be mostly empty
  if (p.groups > 1 && std::max(p.group_c(), p.group_o()) <= small_group) return ConvAlgorithm::direct;
  return supports(p, ConvAlgorithm::strided_gemm) ? ConvAlgorithm::strided_gemm : ConvAlgorithm::implicit_gemm;
}

void expect_places(const Conv2dProblem& p) {
  require(std::max(p.h, p.w) + std::max(p.rows.extent(), p.columns.extent()) < far_away,
          "conv2d: an image of {} x {} is too large for this device", p.h, p.w);
}

void forward(Stream& stream, const Conv2dProblem& p, ConstView x, ConstView weight, View y, ConvAlgorithm algorithm) {
  expect_places(p);
  if (y.numel() == 0) return;
  if (is_cudnn(algorithm)) return conv2d_cudnn_forward(stream, p, math_of(algorithm), x, weight, y);
  const Global<const float> in = global<const float>(x);
  if (algorithm == ConvAlgorithm::strided_gemm)
    return forward_product(stream, p, OverlappingRows{LineShape(as_one_row(p)), in}, weight, y);
  if (algorithm == ConvAlgorithm::implicit_gemm)
    return forward_product(stream, p, Patches{ConvShape(p), in}, weight, y);
  if (algorithm == ConvAlgorithm::tensor_core)
    return forward_product<Units::tensor_cores>(stream, p, Patches{ConvShape(p), in}, weight, y);
  launch<conv2d_forward_kernel>(striding_blocks(y.numel(), threads), threads, 0, stream, ConvShape(p), y.numel(),
                                Divider(p.o), in, global<const float>(weight), global<float>(y));
}

// One product for both of them: around a pixel of x, the patches of dy overlap in memory for stride 1 alone, and then
// backwards.
void backward_data(Stream& stream, const Conv2dProblem& p, ConstView dy, ConstView weight, View dx,
                   ConvAlgorithm algorithm) {
  expect_places(p);
  if (dx.numel() == 0) return;
  if (is_cudnn(algorithm)) return conv2d_cudnn_backward_data(stream, p, math_of(algorithm), dy, weight, dx);
  const PatchesOfGradient patches{ConvShape(p), global<const float>(dy)};
  const WeightTransposed transposed{ConvShape(p), global<const float>(weight)};
  const auto run = [&]<Units units>() {
    product<units>(stream, p, patches, p.group_o(), transposed, p.group_o(), dx, p.group_c(), p.taps() * p.group_o());
  };
  if (algorithm == ConvAlgorithm::tensor_core) return run.template operator()<Units::tensor_cores>();
  if (algorithm != ConvAlgorithm::direct) return run.template operator()<Units::cuda_cores>();
  launch<conv2d_backward_data_kernel>(striding_blocks(dx.numel(), threads), threads, 0, stream, patches, transposed,
                                      dx.numel(), Divider(p.c), global<float>(dx));
}

void backward_weight(Stream& stream, const Conv2dProblem& p, ConstView dy, ConstView x, View dweight,
                     ConvAlgorithm algorithm) {
  expect_places(p);
  if (dweight.numel() == 0) return;
  if (is_cudnn(algorithm) && p.n > 0)  // sums of nothing are left to our own
    return conv2d_cudnn_backward_weight(stream, p, math_of(algorithm), dy, x, dweight);
  const Global<const float> in = global<const float>(x);
  if (algorithm == ConvAlgorithm::strided_gemm)
    return weight_product(stream, p, dy, OverlappingRowsTransposed{LineShape(as_one_row(p)), in}, dweight);
  if (algorithm == ConvAlgorithm::implicit_gemm)
    return weight_product(stream, p, dy, PatchesTransposed{ConvShape(p), in}, dweight);
  if (algorithm == ConvAlgorithm::tensor_core)
    return weight_product<Units::tensor_cores>(stream, p, dy, PatchesTransposed{ConvShape(p), in}, dweight);
  launch<conv2d_backward_weight_kernel>(striding_blocks(dweight.numel(), threads), threads, 0, stream, ConvShape(p),
                                        dweight.numel(), Divider(p.o), global<const float>(dy), in,
                                        global<float>(dweight));
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(Conv2dFunctions, conv2d, algorithms, supports, automatic, forward, backward_data,
                         backward_weight)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
