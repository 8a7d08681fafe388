// Which algorithms there are follows the tables of cudnnConvolutionForward(), …BackwardData() and …BackwardFilter() in
// the documentation: with filters in NHWC, the two implicit products forward, ALGO_1 for the data gradient, ALGO_0 and
// ALGO_1 for the filter gradient, x and y "NHWC HWC-packed". FFT and Winograd are for other layouts and are left out.
#include "kernels/simt/libraries/cudnn_problem.h"

#include <algorithm>
#include <span>

namespace melgrad::simt {
namespace {

std::array<int64_t, 4> widened(const std::array<int, CUDNN_DIM_MAX>& values) {
  return {values[0], values[1], values[2], values[3]};
}

bool packed_nhwc(const std::array<int64_t, 4>& sizes, const std::array<int64_t, 4>& strides) {
  const int64_t row = sizes[3] * sizes[1];
  return strides[1] == 1 && strides[3] == sizes[1] && strides[2] == row && strides[0] >= sizes[2] * row;
}

// Documentation, cudnnGetConvolutionNdForwardOutputDim():
// outputDim = 1 + ( inputDim + 2*pad - (((filterDim-1)*dilation)+1) )/convolutionStride
int64_t output_size(int64_t input, int64_t pad, int64_t filter, int64_t dilation, int64_t stride) {
  return 1 + (input + 2 * pad - ((filter - 1) * dilation + 1)) / stride;
}

bool filter_fits(int64_t input, int64_t pad, int64_t filter, int64_t dilation) {
  return (filter - 1) * dilation + 1 <= input + 2 * pad;
}

cudnnStatus_t check_descriptors(const cudnnTensorStruct* x, const cudnnFilterStruct* w,
                                const cudnnConvolutionStruct* convolution) {
  if (x == nullptr || w == nullptr || convolution == nullptr) return bad_parameter("a descriptor that is null");
  cudnn_tensors().check(x);
  cudnn_filters().check(w);
  cudnn_convolutions().check(convolution);
  if (x->dimensions == 0 || w->k == 0 || !convolution->set) return bad_parameter("a descriptor that was never set");
  if (x->dimensions != 4) return bad_parameter("a tensor of {} dimensions, a filter of 4", x->dimensions);
  if (x->sizes[1] != w->c * convolution->groups)
    return bad_parameter("{} feature maps in the tensor, {} of {} groups in the filter", x->sizes[1], w->c,
                         convolution->groups);
  if (!filter_fits(x->sizes[2], convolution->pad_h, w->h, convolution->dilation_h) ||
      !filter_fits(x->sizes[3], convolution->pad_w, w->w, convolution->dilation_w))
    return bad_parameter("a filter larger than the input with its padding");
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace

cudnnStatus_t cudnnGetConvolution2dForwardOutputDim(const cudnnConvolutionDescriptor_t convDesc,
                                                    const cudnnTensorDescriptor_t inputTensorDesc,
                                                    const cudnnFilterDescriptor_t filterDesc, int* n, int* c, int* h,
                                                    int* w) {
  if (const cudnnStatus_t status = check_descriptors(inputTensorDesc, filterDesc, convDesc);
      status != CUDNN_STATUS_SUCCESS)
    return status;
  const auto& sizes = inputTensorDesc->sizes;
  *n = sizes[0];
  *c = filterDesc->k;
  *h =
      static_cast<int>(output_size(sizes[2], convDesc->pad_h, filterDesc->h, convDesc->dilation_h, convDesc->stride_h));
  *w =
      static_cast<int>(output_size(sizes[3], convDesc->pad_w, filterDesc->w, convDesc->dilation_w, convDesc->stride_w));
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t make_problem(const cudnnTensorDescriptor_t x, const cudnnFilterDescriptor_t w,
                           const cudnnConvolutionDescriptor_t convolution, const cudnnTensorDescriptor_t y,
                           ConvolutionProblem& problem) {
  if (const cudnnStatus_t status = check_descriptors(x, w, convolution); status != CUDNN_STATUS_SUCCESS) return status;
  if (y == nullptr) return bad_parameter("a descriptor that is null");
  cudnn_tensors().check(y);
  if (y->dimensions != 4) return bad_parameter("tensors of {} and {} dimensions", x->dimensions, y->dimensions);
  if (x->type != w->type || x->type != y->type) return bad_parameter("tensors and filter of different data types");
  if (w->k % convolution->groups != 0)
    return bad_parameter("{} output channels in {} groups", w->k, convolution->groups);
  std::array<int, 4> expected{};
  cudnnGetConvolution2dForwardOutputDim(convolution, x, w, &expected[0], &expected[1], &expected[2], &expected[3]);
  if (y->sizes[0] != expected[0] || y->sizes[1] != expected[1])
    return bad_parameter("an output of {} × {} maps, expected {} × {}", y->sizes[0], y->sizes[1], expected[0],
                         expected[1]);
  if (y->sizes[2] != expected[2] || y->sizes[3] != expected[3])
    return not_supported("an output of {} × {} pixels, expected {} × {}", y->sizes[2], y->sizes[3], expected[2],
                         expected[3]);
  const auto negative = [](int stride) { return stride < 0; };
  if (std::any_of(x->strides.begin(), x->strides.end(), negative) ||
      std::any_of(y->strides.begin(), y->strides.end(), negative))
    return not_supported("negative strides");
  if (x->type != CUDNN_DATA_FLOAT || convolution->compute_type != CUDNN_DATA_FLOAT)
    return not_supported("data that is not f32, or not computed in f32");

  const int64_t c = w->c, h = w->h, width = w->w;
  const bool nhwc = w->format == CUDNN_TENSOR_NHWC;
  using Sizes = std::array<int64_t, 4>;
  problem = {.x = widened(x->sizes),
             .w = {w->k, c, h, width},
             .y = widened(y->sizes),
             .x_strides = widened(x->strides),
             .w_strides = nhwc ? Sizes{h * width * c, 1, width * c, c} : Sizes{c * h * width, h * width, width, 1},
             .y_strides = widened(y->strides),
             .pad_h = convolution->pad_h,
             .pad_w = convolution->pad_w,
             .stride_h = convolution->stride_h,
             .stride_w = convolution->stride_w,
             .dilation_h = convolution->dilation_h,
             .dilation_w = convolution->dilation_w,
             .groups = convolution->groups,
             .flipped = convolution->mode == CUDNN_CONVOLUTION,
             .filter_nhwc = nhwc,
             .math = convolution->math};
  return CUDNN_STATUS_SUCCESS;
}

bool ConvolutionProblem::nhwc() const {
  return filter_nhwc && packed_nhwc(x, x_strides) && packed_nhwc(y, y_strides);
}

ConvolutionMethod method_for(ConvolutionPass pass, int algorithm, const ConvolutionProblem& problem) {
  const bool layout = problem.nhwc() || !problem.filter_nhwc;
  // Tensor cores want their operands in another order, so a size asked for one math type is too small for another.
  const int64_t extra = problem.math == CUDNN_FMA_MATH ? 0 : problem.math == CUDNN_DEFAULT_MATH ? 512 : 1024;
  ConvolutionMethod method{.algorithm = algorithm};
  switch (pass) {
    case ConvolutionPass::forward:
      method.supported = layout && (algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM ||
                                    algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM);
      if (algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM)
        method.workspace = problem.w_bytes() / problem.w[0] + extra;
      break;
    case ConvolutionPass::data:
      method.supported = (layout && algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_1) ||
                         (!problem.filter_nhwc && algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_0);
      method.deterministic = algorithm != CUDNN_CONVOLUTION_BWD_DATA_ALGO_0;
      if (algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_1) method.workspace = problem.w_bytes() + extra;
      break;
    case ConvolutionPass::filter:
      method.supported = (layout && (algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0 ||
                                     algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1)) ||
                         (!problem.filter_nhwc && algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3);
      method.deterministic =
          algorithm != CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0 && algorithm != CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3;
      if (algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1) method.workspace = 2 * problem.w_bytes() + extra;
      break;
  }
  if (!method.supported) method.workspace = 0;
  return method;
}

namespace {

// A heuristic's order, chosen to find fault: first an algorithm that cannot run, then the non-deterministic ones.
std::span<const int> order_of(ConvolutionPass pass) {
  static constexpr int forward[] = {
      CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD,          CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
      CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM,     CUDNN_CONVOLUTION_FWD_ALGO_GEMM,
      CUDNN_CONVOLUTION_FWD_ALGO_FFT_TILING,        CUDNN_CONVOLUTION_FWD_ALGO_FFT,
      CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD_NONFUSED, CUDNN_CONVOLUTION_FWD_ALGO_DIRECT};
  static constexpr int data[] = {
      CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD, CUDNN_CONVOLUTION_BWD_DATA_ALGO_0,
      CUDNN_CONVOLUTION_BWD_DATA_ALGO_1,        CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT_TILING,
      CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT,      CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD_NONFUSED};
  static constexpr int filter[] = {
      CUDNN_CONVOLUTION_BWD_FILTER_ALGO_FFT_TILING, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0,
      CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3,          CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1,
      CUDNN_CONVOLUTION_BWD_FILTER_ALGO_FFT,        CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD_NONFUSED};
  switch (pass) {
    case ConvolutionPass::forward:
      return forward;
    case ConvolutionPass::data:
      return data;
    case ConvolutionPass::filter:
      return filter;
  }
  return {};
}

}  // namespace

std::vector<RankedMethod> ranked_methods(ConvolutionPass pass, const ConvolutionProblem& problem) {
  std::vector<RankedMethod> ranked;
  // The documentation knows results of these two math types; what asked for CUDNN_FMA_MATH finds the second.
  std::vector<cudnnMathType_t> maths{CUDNN_TENSOR_OP_MATH, CUDNN_DEFAULT_MATH};
  if (problem.math == CUDNN_FMA_MATH) maths.erase(maths.begin());
  for (const int algorithm : order_of(pass)) {
    for (const cudnnMathType_t math : maths) {
      ConvolutionProblem with_math = problem;
      with_math.math = math;
      ranked.push_back({method_for(pass, algorithm, with_math), math});
    }
  }
  return ranked;
}

int most_ranked_methods(ConvolutionPass pass) {
  return 2 * static_cast<int>(order_of(pass).size());
}

}  // namespace melgrad::simt
