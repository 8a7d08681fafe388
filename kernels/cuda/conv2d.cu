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
#include "kernels/cuda/conv2d_cudnn.h"
#include "kernels/cuda/conv2d_product.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int threads = 256;

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
  const RowsOfChannels rows{global<const float>(dy), p.group_o(), p.n * p.h_out() * p.w_out(), p.o};
  if (algorithm == ConvAlgorithm::strided_gemm)
    return weight_product(stream, p, rows, OverlappingRowsTransposed{LineShape(as_one_row(p)), in}, dweight);
  if (algorithm == ConvAlgorithm::implicit_gemm)
    return weight_product(stream, p, rows, PatchesTransposed{ConvShape(p), in}, dweight);
  if (algorithm == ConvAlgorithm::tensor_core)
    return weight_product<Units::tensor_cores>(stream, p, rows, PatchesTransposed{ConvShape(p), in}, dweight);
  launch<conv2d_backward_weight_kernel>(striding_blocks(dweight.numel(), threads), threads, 0, stream, ConvShape(p),
                                        dweight.numel(), Divider(p.o), global<const float>(dy), in,
                                        global<float>(dweight));
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(Conv2dFunctions, conv2d, algorithms, supports, automatic, forward, backward_data,
                         backward_weight)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
