// Convolutions by their definition, and the queries for their algorithms.
#include <algorithm>
#include <atomic>
#include <cstring>

#include "kernels/simt/libraries/cudnn_problem.h"
#include "kernels/simt/libraries/operands.h"
#include "kernels/simt/libraries/tf32.h"

namespace melgrad::simt {
namespace {

using Sizes = std::array<int64_t, 4>;

int64_t place(const Sizes& strides, int64_t a, int64_t b, int64_t c, int64_t d) {
  return a * strides[0] + b * strides[1] + c * strides[2] + d * strides[3];
}

int64_t extent(const Sizes& sizes, const Sizes& strides) {
  return place(strides, sizes[0] - 1, sizes[1] - 1, sizes[2] - 1, sizes[3] - 1) + 1;
}

// ---- the sums

// Calls body(place in x, in w, in y) for each product that the definition has, so that each output's come in one order
// for the same `start`.
template <class Body>
void for_each_product(const ConvolutionProblem& p, int64_t start, const Body& body) {
  const int64_t pixels = p.y[2] * p.y[3], channels = p.w[1], maps_per_group = p.y[1] / p.groups;
  const int64_t places = p.y[0] * pixels * p.y[1];
  for (int64_t i = 0; i < places; ++i) {
    const int64_t at = (i + start) % places;
    const int64_t k = at % p.y[1], n = at / p.y[1] / pixels, row = at / p.y[1] % pixels / p.y[3];
    const int64_t column = at / p.y[1] % p.y[3];
    for (int64_t r = 0; r < p.w[2]; ++r) {
      for (int64_t s = 0; s < p.w[3]; ++s) {
        const int64_t h = row * p.stride_h - p.pad_h + r * p.dilation_h;
        const int64_t w = column * p.stride_w - p.pad_w + s * p.dilation_w;
        if (h < 0 || h >= p.x[2] || w < 0 || w >= p.x[3]) continue;
        const int64_t tap_h = p.flipped ? p.w[2] - 1 - r : r, tap_w = p.flipped ? p.w[3] - 1 - s : s;
        for (int64_t c = 0; c < channels; ++c)
          body(place(p.x_strides, n, k / maps_per_group * channels + c, h, w), place(p.w_strides, k, c, tap_h, tap_w),
               place(p.y_strides, n, k, row, column));
      }
    }
  }
}

// Documentation: "dstValue = alpha[0]*result + beta[0]*priorDstValue". With beta 0 the prior value is not read.
void blend(float* output, const Sizes& sizes, const Sizes& strides, const std::vector<double>& result, double alpha,
           double beta) {
  std::vector<bool> taken(result.size());
  for (int64_t a = 0; a < sizes[0]; ++a)
    for (int64_t b = 0; b < sizes[1]; ++b)
      for (int64_t c = 0; c < sizes[2]; ++c)
        for (int64_t d = 0; d < sizes[3]; ++d) {
          const auto at = static_cast<std::size_t>(place(strides, a, b, c, d));
          require(!taken[at], "simt: cuDNN: an output whose elements overlap by their strides");
          taken[at] = true;
          const double scaled = alpha * result[at];
          output[at] = static_cast<float>(beta == 0 ? scaled : scaled + beta * output[at]);
        }
}

struct Arguments {
  const char* call;
  ConvolutionPass pass;
  cudnnHandle_t handle;
  const void *alpha, *beta;
  const char *first_name, *second_name, *output_name;
  const void *first, *second;  // x and w, w and dy, x and dy
  void* output;                // y, dx, dw
  int algorithm;
  void* workspace;
  size_t workspace_bytes;
};

void compute(const Arguments& call, const ConvolutionProblem& p, bool deterministic, double alpha, double beta) {
  const auto* first = static_cast<const float*>(call.first);
  const auto* second = static_cast<const float*>(call.second);
  const auto rounded = [&](float value) { return p.math == CUDNN_FMA_MATH ? value : round_to_tf32(value); };
  const bool forward = call.pass == ConvolutionPass::forward, data = call.pass == ConvolutionPass::data;
  const Sizes& sizes = forward ? p.y : data ? p.x : p.w;
  const Sizes& strides = forward ? p.y_strides : data ? p.x_strides : p.w_strides;
  std::vector<double> result(static_cast<std::size_t>(extent(sizes, strides)));
  // A non-deterministic algorithm sums in f32 and in another order each time.
  static std::atomic<int64_t> calls = 0;
  const int64_t start = deterministic ? 0 : ++calls;
  for_each_product(p, start, [&](int64_t x, int64_t w, int64_t y) {
    const double product = double{rounded(first[data ? w : x])} * rounded(second[forward ? w : y]);
    double& sum = result[static_cast<std::size_t>(forward ? y : data ? x : w)];
    sum = deterministic ? sum + product : double{static_cast<float>(sum + product)};
  });
  blend(static_cast<float*>(call.output), sizes, strides, result, alpha, beta);
}

cudnnStatus_t convolve(const Arguments& call, const ConvolutionProblem& p) {
  for (const void* pointer : {call.alpha, call.beta, call.first, call.second, const_cast<const void*>(call.output)})
    if (pointer == nullptr) return bad_parameter("{}: a null pointer", call.call);
  const ConvolutionMethod method = method_for(call.pass, call.algorithm, p);
  if (!method.supported) return not_supported("{}: algorithm {} for this problem", call.call, call.algorithm);
  if (static_cast<int64_t>(call.workspace_bytes) < method.workspace ||
      (method.workspace > 0 && call.workspace == nullptr))
    return bad_parameter("{}: a workspace of {} bytes, the algorithm needs {}", call.call, call.workspace_bytes,
                         method.workspace);
  Operands operands(call.call, call.handle->stream);
  operands.host("alpha", call.alpha);
  operands.host("beta", call.beta);
  const int64_t x = extent(p.x, p.x_strides) * 4, w = p.w_bytes(), y = extent(p.y, p.y_strides) * 4;
  const bool forward = call.pass == ConvolutionPass::forward, data = call.pass == ConvolutionPass::data;
  operands.read(call.first_name, call.first, 0, data ? w : x);
  operands.read(call.second_name, call.second, 0, forward ? w : y);
  operands.write(call.output_name, call.output, 0, forward ? y : data ? x : w);
  operands.scratch("the workspace", call.workspace, static_cast<int64_t>(call.workspace_bytes));  // all it may use
  compute(call, p, method.deterministic, *static_cast<const float*>(call.alpha), *static_cast<const float*>(call.beta));
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t check_handle(cudnnHandle_t handle) {
  if (handle == nullptr) return bad_parameter("a handle that is null");
  cudnn_contexts().check(handle);
  return CUDNN_STATUS_SUCCESS;
}

// make_problem with the handle looked at first.
cudnnStatus_t problem_of(cudnnHandle_t handle, const cudnnTensorDescriptor_t x, const cudnnFilterDescriptor_t w,
                         const cudnnConvolutionDescriptor_t convolution, const cudnnTensorDescriptor_t y,
                         ConvolutionProblem& problem) {
  const cudnnStatus_t status = check_handle(handle);
  return status != CUDNN_STATUS_SUCCESS ? status : make_problem(x, w, convolution, y, problem);
}

template <class Performance>
cudnnStatus_t rank(ConvolutionPass pass, const ConvolutionProblem& problem, int requested, int* returned,
                   Performance* results) {
  if (requested < 1 || returned == nullptr || results == nullptr) return bad_parameter("{} results", requested);
  const std::vector<RankedMethod> ranked = ranked_methods(pass, problem);
  *returned = std::min(requested, static_cast<int>(ranked.size()));
  for (int i = 0; i < *returned; ++i) {
    const auto& [method, math] = ranked[static_cast<std::size_t>(i)];
    results[i] = {static_cast<decltype(results->algo)>(method.algorithm),
                  method.supported ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED,
                  -1.0f,  // a heuristic has no time
                  static_cast<size_t>(method.workspace),
                  method.deterministic ? CUDNN_DETERMINISTIC : CUDNN_NON_DETERMINISTIC,
                  math,
                  {}};
  }
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t max_count(ConvolutionPass pass, cudnnHandle_t handle, int* count) {
  if (const cudnnStatus_t status = check_handle(handle); status != CUDNN_STATUS_SUCCESS) return status;
  if (count == nullptr) return bad_parameter("a count that is null");
  *count = most_ranked_methods(pass);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t workspace_size(ConvolutionPass pass, const ConvolutionProblem& problem, int algorithm, size_t* bytes) {
  if (bytes == nullptr) return bad_parameter("a size that is null");
  const ConvolutionMethod method = method_for(pass, algorithm, problem);
  if (!method.supported) return not_supported("algorithm {} for this problem", algorithm);
  *bytes = static_cast<size_t>(method.workspace);
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace

// ---- forward

cudnnStatus_t cudnnGetConvolutionForwardAlgorithmMaxCount(cudnnHandle_t handle, int* count) {
  return max_count(ConvolutionPass::forward, handle, count);
}

cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(cudnnHandle_t handle, const cudnnTensorDescriptor_t srcDesc,
                                                     const cudnnFilterDescriptor_t filterDesc,
                                                     const cudnnConvolutionDescriptor_t convDesc,
                                                     const cudnnTensorDescriptor_t destDesc,
                                                     const int requestedAlgoCount, int* returnedAlgoCount,
                                                     cudnnConvolutionFwdAlgoPerf_t* perfResults) {
  ConvolutionProblem problem;
  const cudnnStatus_t status = problem_of(handle, srcDesc, filterDesc, convDesc, destDesc, problem);
  return status != CUDNN_STATUS_SUCCESS
             ? status
             : rank(ConvolutionPass::forward, problem, requestedAlgoCount, returnedAlgoCount, perfResults);
}

cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t handle, const cudnnTensorDescriptor_t xDesc,
                                                      const cudnnFilterDescriptor_t wDesc,
                                                      const cudnnConvolutionDescriptor_t convDesc,
                                                      const cudnnTensorDescriptor_t yDesc,
                                                      cudnnConvolutionFwdAlgo_t algo, size_t* sizeInBytes) {
  ConvolutionProblem problem;
  const cudnnStatus_t status = problem_of(handle, xDesc, wDesc, convDesc, yDesc, problem);
  return status != CUDNN_STATUS_SUCCESS ? status : workspace_size(ConvolutionPass::forward, problem, algo, sizeInBytes);
}

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void* alpha, const cudnnTensorDescriptor_t xDesc,
                                      const void* x, const cudnnFilterDescriptor_t wDesc, const void* w,
                                      const cudnnConvolutionDescriptor_t convDesc, cudnnConvolutionFwdAlgo_t algo,
                                      void* workSpace, size_t workSpaceSizeInBytes, const void* beta,
                                      const cudnnTensorDescriptor_t yDesc, void* y) {
  ConvolutionProblem problem;
  const cudnnStatus_t status = problem_of(handle, xDesc, wDesc, convDesc, yDesc, problem);
  if (status != CUDNN_STATUS_SUCCESS) return status;
  return convolve({"cudnnConvolutionForward", ConvolutionPass::forward, handle, alpha, beta, "x", "w", "y", x, w, y,
                   algo, workSpace, workSpaceSizeInBytes},
                  problem);
}

// ---- data gradient

cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithmMaxCount(cudnnHandle_t handle, int* count) {
  return max_count(ConvolutionPass::data, handle, count);
}

cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(
    cudnnHandle_t handle, const cudnnFilterDescriptor_t filterDesc, const cudnnTensorDescriptor_t diffDesc,
    const cudnnConvolutionDescriptor_t convDesc, const cudnnTensorDescriptor_t gradDesc, const int requestedAlgoCount,
    int* returnedAlgoCount, cudnnConvolutionBwdDataAlgoPerf_t* perfResults) {
  ConvolutionProblem problem;
  const cudnnStatus_t status = problem_of(handle, gradDesc, filterDesc, convDesc, diffDesc, problem);
  return status != CUDNN_STATUS_SUCCESS
             ? status
             : rank(ConvolutionPass::data, problem, requestedAlgoCount, returnedAlgoCount, perfResults);
}

cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(cudnnHandle_t handle, const cudnnFilterDescriptor_t wDesc,
                                                           const cudnnTensorDescriptor_t dyDesc,
                                                           const cudnnConvolutionDescriptor_t convDesc,
                                                           const cudnnTensorDescriptor_t dxDesc,
                                                           cudnnConvolutionBwdDataAlgo_t algo, size_t* sizeInBytes) {
  ConvolutionProblem problem;
  const cudnnStatus_t status = problem_of(handle, dxDesc, wDesc, convDesc, dyDesc, problem);
  return status != CUDNN_STATUS_SUCCESS ? status : workspace_size(ConvolutionPass::data, problem, algo, sizeInBytes);
}

cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void* alpha, const cudnnFilterDescriptor_t wDesc,
                                           const void* w, const cudnnTensorDescriptor_t dyDesc, const void* dy,
                                           const cudnnConvolutionDescriptor_t convDesc,
                                           cudnnConvolutionBwdDataAlgo_t algo, void* workSpace,
                                           size_t workSpaceSizeInBytes, const void* beta,
                                           const cudnnTensorDescriptor_t dxDesc, void* dx) {
  ConvolutionProblem problem;
  const cudnnStatus_t status = problem_of(handle, dxDesc, wDesc, convDesc, dyDesc, problem);
  if (status != CUDNN_STATUS_SUCCESS) return status;
  return convolve({"cudnnConvolutionBackwardData", ConvolutionPass::data, handle, alpha, beta, "w", "dy", "dx", w, dy,
                   dx, algo, workSpace, workSpaceSizeInBytes},
                  problem);
}

// ---- filter gradient

cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithmMaxCount(cudnnHandle_t handle, int* count) {
  return max_count(ConvolutionPass::filter, handle, count);
}

cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(cudnnHandle_t handle, const cudnnTensorDescriptor_t srcDesc,
                                                            const cudnnTensorDescriptor_t diffDesc,
                                                            const cudnnConvolutionDescriptor_t convDesc,
                                                            const cudnnFilterDescriptor_t gradDesc,
                                                            const int requestedAlgoCount, int* returnedAlgoCount,
                                                            cudnnConvolutionBwdFilterAlgoPerf_t* perfResults) {
  ConvolutionProblem problem;
  const cudnnStatus_t status = problem_of(handle, srcDesc, gradDesc, convDesc, diffDesc, problem);
  return status != CUDNN_STATUS_SUCCESS
             ? status
             : rank(ConvolutionPass::filter, problem, requestedAlgoCount, returnedAlgoCount, perfResults);
}

cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(cudnnHandle_t handle, const cudnnTensorDescriptor_t xDesc,
                                                             const cudnnTensorDescriptor_t dyDesc,
                                                             const cudnnConvolutionDescriptor_t convDesc,
                                                             const cudnnFilterDescriptor_t gradDesc,
                                                             cudnnConvolutionBwdFilterAlgo_t algo,
                                                             size_t* sizeInBytes) {
  ConvolutionProblem problem;
  const cudnnStatus_t status = problem_of(handle, xDesc, gradDesc, convDesc, dyDesc, problem);
  return status != CUDNN_STATUS_SUCCESS ? status : workspace_size(ConvolutionPass::filter, problem, algo, sizeInBytes);
}

cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t handle, const void* alpha,
                                             const cudnnTensorDescriptor_t xDesc, const void* x,
                                             const cudnnTensorDescriptor_t dyDesc, const void* dy,
                                             const cudnnConvolutionDescriptor_t convDesc,
                                             cudnnConvolutionBwdFilterAlgo_t algo, void* workSpace,
                                             size_t workSpaceSizeInBytes, const void* beta,
                                             const cudnnFilterDescriptor_t dwDesc, void* dw) {
  ConvolutionProblem problem;
  const cudnnStatus_t status = problem_of(handle, xDesc, dwDesc, convDesc, dyDesc, problem);
  if (status != CUDNN_STATUS_SUCCESS) return status;
  return convolve({"cudnnConvolutionBackwardFilter", ConvolutionPass::filter, handle, alpha, beta, "x", "dy", "dw", x,
                   dy, dw, algo, workSpace, workSpaceSizeInBytes},
                  problem);
}

// ---- bias gradient

cudnnStatus_t cudnnConvolutionBackwardBias(cudnnHandle_t handle, const void* alpha,
                                           const cudnnTensorDescriptor_t dyDesc, const void* dy, const void* beta,
                                           const cudnnTensorDescriptor_t dbDesc, void* db) {
  if (const cudnnStatus_t status = check_handle(handle); status != CUDNN_STATUS_SUCCESS) return status;
  if (alpha == nullptr || beta == nullptr || dyDesc == nullptr || dbDesc == nullptr || dy == nullptr || db == nullptr)
    return bad_parameter("cudnnConvolutionBackwardBias: a null pointer");
  cudnn_tensors().check(dyDesc);
  cudnn_tensors().check(dbDesc);
  const Sizes sizes{dyDesc->sizes[0], dyDesc->sizes[1], dyDesc->sizes[2], dyDesc->sizes[3]};
  const Sizes strides{dyDesc->strides[0], dyDesc->strides[1], dyDesc->strides[2], dyDesc->strides[3]};
  const Sizes bias{dbDesc->sizes[0], dbDesc->sizes[1], dbDesc->sizes[2], dbDesc->sizes[3]};
  const Sizes bias_strides{dbDesc->strides[0], dbDesc->strides[1], dbDesc->strides[2], dbDesc->strides[3]};
  if (dyDesc->dimensions != 4 || dbDesc->dimensions != 4) return bad_parameter("tensors that are not of 4 dimensions");
  if (bias[0] != 1 || bias[2] != 1 || bias[3] != 1) return bad_parameter("n, height and width of the bias are not 1");
  if (bias[1] != sizes[1]) return bad_parameter("{} feature maps, a bias of {}", sizes[1], bias[1]);
  if (dyDesc->type != dbDesc->type) return bad_parameter("tensors of different data types");
  if (dyDesc->type != CUDNN_DATA_FLOAT) return not_supported("data that is not f32");

  Operands operands("cudnnConvolutionBackwardBias", handle->stream);
  operands.host("alpha", alpha);
  operands.host("beta", beta);
  operands.read("dy", dy, 0, extent(sizes, strides) * 4);
  operands.write("db", db, 0, extent(bias, bias_strides) * 4);
  std::vector<double> sums(static_cast<std::size_t>(extent(bias, bias_strides)));
  for (int64_t n = 0; n < sizes[0]; ++n)
    for (int64_t c = 0; c < sizes[1]; ++c)
      for (int64_t h = 0; h < sizes[2]; ++h)
        for (int64_t w = 0; w < sizes[3]; ++w)
          sums[static_cast<std::size_t>(c * bias_strides[1])] +=
              static_cast<const float*>(dy)[place(strides, n, c, h, w)];
  blend(static_cast<float*>(db), bias, bias_strides, sums, *static_cast<const float*>(alpha),
        *static_cast<const float*>(beta));
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace melgrad::simt
