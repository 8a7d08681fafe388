// Handles and descriptors: set, checked and read back. What is refused was compared with cuDNN 9.19, whose descriptors
// need no GPU.
#include "kernels/simt/libraries/cudnn_objects.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace melgrad::simt {
namespace {

thread_local std::string last_error;

template <class T>
LiveObjects<T>& of_kind(const char* name) {
  static LiveObjects<T>& all = *new LiveObjects<T>(name);
  return all;
}

template <class T>
cudnnStatus_t create(LiveObjects<T>& objects, T** object) {
  if (object == nullptr) return bad_parameter("a null pointer to a descriptor");
  *object = objects.create();
  return CUDNN_STATUS_SUCCESS;
}

template <class T>
cudnnStatus_t destroy(LiveObjects<T>& objects, T* object) {
  if (object != nullptr) objects.destroy(object);
  return CUDNN_STATUS_SUCCESS;
}

bool valid(cudnnDataType_t type) {
  return type == CUDNN_DATA_FLOAT || type == CUDNN_DATA_DOUBLE || type == CUDNN_DATA_HALF ||
         type == CUDNN_DATA_BFLOAT16;
}

bool valid(cudnnTensorFormat_t format) {
  return format == CUDNN_TENSOR_NCHW || format == CUDNN_TENSOR_NHWC;
}

// Elements from the first to the last, padding between them included.
int64_t extent(const cudnnTensorStruct& tensor) {
  if (tensor.dimensions == 0) return 0;
  int64_t last = 0;
  for (int i = 0; i < tensor.dimensions; ++i) {
    const auto axis = static_cast<std::size_t>(i);
    last += std::abs(int64_t{tensor.sizes[axis] - 1} * tensor.strides[axis]);
  }
  return last + 1;
}

cudnnStatus_t set(cudnnTensorStruct* tensor, const cudnnTensorStruct& value) {
  if (tensor == nullptr) return bad_parameter("a tensor descriptor that is null");
  cudnn_tensors().check(tensor);
  if (!valid(value.type)) return bad_parameter("data type {}", static_cast<int>(value.type));
  for (int i = 0; i < value.dimensions; ++i) {
    const auto axis = static_cast<std::size_t>(i);
    if (value.sizes[axis] <= 0) return bad_parameter("size {} of dimension {}", value.sizes[axis], i);
    if (value.strides[axis] == 0 && value.sizes[axis] > 1) return bad_parameter("stride 0 of dimension {}", i);
  }
  if (extent(value) > std::numeric_limits<int>::max())
    return not_supported("a tensor of more than 2 Giga-elements, padding included");
  *tensor = value;
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace

LiveObjects<cudnnContext>& cudnn_contexts() {
  return of_kind<cudnnContext>("cudnnHandle_t");
}
LiveObjects<cudnnTensorStruct>& cudnn_tensors() {
  return of_kind<cudnnTensorStruct>("cudnnTensorDescriptor_t");
}
LiveObjects<cudnnFilterStruct>& cudnn_filters() {
  return of_kind<cudnnFilterStruct>("cudnnFilterDescriptor_t");
}
LiveObjects<cudnnConvolutionStruct>& cudnn_convolutions() {
  return of_kind<cudnnConvolutionStruct>("cudnnConvolutionDescriptor_t");
}

std::size_t live_cudnn_objects() {
  return cudnn_contexts().count() + cudnn_tensors().count() + cudnn_filters().count() + cudnn_convolutions().count();
}

cudnnStatus_t cudnn_refusal(cudnnStatus_t status, const std::string& text) {
  last_error = text;
  return status;
}

// ---- the library

size_t cudnnGetVersion(void) {
  return CUDNN_VERSION;
}

const char* cudnnGetErrorString(cudnnStatus_t status) {
  switch (status) {
    case CUDNN_STATUS_SUCCESS:
      return "CUDNN_STATUS_SUCCESS";
    case CUDNN_STATUS_NOT_INITIALIZED:
      return "CUDNN_STATUS_NOT_INITIALIZED";
    case CUDNN_STATUS_BAD_PARAM:
      return "CUDNN_STATUS_BAD_PARAM";
    case CUDNN_STATUS_BAD_PARAM_NULL_POINTER:
      return "CUDNN_STATUS_BAD_PARAM_NULL_POINTER";
    case CUDNN_STATUS_NOT_SUPPORTED:
      return "CUDNN_STATUS_NOT_SUPPORTED";
    case CUDNN_STATUS_INTERNAL_ERROR:
      return "CUDNN_STATUS_INTERNAL_ERROR";
    case CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED:
      return "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED";
    case CUDNN_STATUS_EXECUTION_FAILED:
      return "CUDNN_STATUS_EXECUTION_FAILED";
  }
  return "CUDNN_UNKNOWN_STATUS";
}

void cudnnGetLastErrorString(char* message, size_t max_size) {
  if (message == nullptr || max_size == 0) return;
  const std::size_t length = std::min(last_error.size(), max_size - 1);
  message[last_error.copy(message, length)] = '\0';
  last_error.clear();
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  return create(cudnn_contexts(), handle);
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  return destroy(cudnn_contexts(), handle);
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t streamId) {
  if (handle == nullptr) return bad_parameter("a handle that is null");
  cudnn_contexts().check(handle);
  handle->stream = streamId;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetStream(cudnnHandle_t handle, cudaStream_t* streamId) {
  if (handle == nullptr || streamId == nullptr) return bad_parameter("a handle or stream that is null");
  cudnn_contexts().check(handle);
  *streamId = handle->stream;
  return CUDNN_STATUS_SUCCESS;
}

// ---- tensors

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* tensorDesc) {
  return create(cudnn_tensors(), tensorDesc);
}

cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t tensorDesc) {
  return destroy(cudnn_tensors(), tensorDesc);
}

cudnnStatus_t cudnnSetTensor4dDescriptorEx(cudnnTensorDescriptor_t tensorDesc, cudnnDataType_t dataType, int n, int c,
                                           int h, int w, int nStride, int cStride, int hStride, int wStride) {
  return set(tensorDesc, {dataType, 4, {n, c, h, w}, {nStride, cStride, hStride, wStride}});
}

cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t tensorDesc, cudnnTensorFormat_t format,
                                         cudnnDataType_t dataType, int n, int c, int h, int w) {
  if (!valid(format) || !valid(dataType))
    return bad_parameter("tensor format {}, data type {}", static_cast<int>(format), static_cast<int>(dataType));
  if (n <= 0 || c <= 0 || h <= 0 || w <= 0) return bad_parameter("sizes {}, {}, {}, {}", n, c, h, w);
  const int64_t image = int64_t{c} * h * w;
  if (image * n > std::numeric_limits<int>::max()) return not_supported("a tensor of more than 2 Giga-elements");
  const int all = static_cast<int>(image);
  return format == CUDNN_TENSOR_NHWC ? cudnnSetTensor4dDescriptorEx(tensorDesc, dataType, n, c, h, w, all, 1, w * c, c)
                                     : cudnnSetTensor4dDescriptorEx(tensorDesc, dataType, n, c, h, w, all, h * w, w, 1);
}

cudnnStatus_t cudnnSetTensorNdDescriptor(cudnnTensorDescriptor_t tensorDesc, cudnnDataType_t dataType, int nbDims,
                                         const int dimA[], const int strideA[]) {
  if (dimA == nullptr || strideA == nullptr || nbDims < 1) return bad_parameter("{} dimensions", nbDims);
  if (!valid(dataType)) return bad_parameter("data type {}", static_cast<int>(dataType));
  if (nbDims > CUDNN_DIM_MAX) return not_supported("{} dimensions, more than {}", nbDims, CUDNN_DIM_MAX);
  cudnnTensorStruct tensor{.type = dataType, .dimensions = nbDims};
  std::copy_n(dimA, nbDims, tensor.sizes.begin());
  std::copy_n(strideA, nbDims, tensor.strides.begin());
  return set(tensorDesc, tensor);
}

cudnnStatus_t cudnnGetTensor4dDescriptor(const cudnnTensorDescriptor_t tensorDesc, cudnnDataType_t* dataType, int* n,
                                         int* c, int* h, int* w, int* nStride, int* cStride, int* hStride,
                                         int* wStride) {
  if (tensorDesc == nullptr) return bad_parameter("a tensor descriptor that is null");
  cudnn_tensors().check(tensorDesc);
  *dataType = tensorDesc->type;
  int* const sizes[] = {n, c, h, w};
  int* const strides[] = {nStride, cStride, hStride, wStride};
  for (std::size_t i = 0; i < 4; ++i) *sizes[i] = tensorDesc->sizes[i], *strides[i] = tensorDesc->strides[i];
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetTensorSizeInBytes(const cudnnTensorDescriptor_t tensorDesc, size_t* size) {
  if (tensorDesc == nullptr || size == nullptr) return bad_parameter("a tensor descriptor or size that is null");
  cudnn_tensors().check(tensorDesc);
  *size = static_cast<size_t>(extent(*tensorDesc)) * bytes_of(tensorDesc->type);
  return CUDNN_STATUS_SUCCESS;
}

// ---- filters

cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* filterDesc) {
  return create(cudnn_filters(), filterDesc);
}

cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t filterDesc) {
  return destroy(cudnn_filters(), filterDesc);
}

cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t filterDesc, cudnnDataType_t dataType,
                                         cudnnTensorFormat_t format, int k, int c, int h, int w) {
  if (filterDesc == nullptr) return bad_parameter("a filter descriptor that is null");
  cudnn_filters().check(filterDesc);
  if (!valid(dataType) || !valid(format))
    return bad_parameter("data type {}, format {}", static_cast<int>(dataType), static_cast<int>(format));
  if (k <= 0 || c <= 0 || h <= 0 || w <= 0) return bad_parameter("filter sizes {}, {}, {}, {}", k, c, h, w);
  *filterDesc = {dataType, format, k, c, h, w};
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetFilter4dDescriptor(const cudnnFilterDescriptor_t filterDesc, cudnnDataType_t* dataType,
                                         cudnnTensorFormat_t* format, int* k, int* c, int* h, int* w) {
  if (filterDesc == nullptr) return bad_parameter("a filter descriptor that is null");
  cudnn_filters().check(filterDesc);
  *dataType = filterDesc->type, *format = filterDesc->format;
  *k = filterDesc->k, *c = filterDesc->c, *h = filterDesc->h, *w = filterDesc->w;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetFilterSizeInBytes(const cudnnFilterDescriptor_t filterDesc, size_t* size) {
  if (filterDesc == nullptr || size == nullptr) return bad_parameter("a filter descriptor or size that is null");
  cudnn_filters().check(filterDesc);
  const int64_t elements = int64_t{filterDesc->k} * filterDesc->c * filterDesc->h * filterDesc->w;
  *size = static_cast<size_t>(elements) * bytes_of(filterDesc->type);
  return CUDNN_STATUS_SUCCESS;
}

// ---- convolutions

cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* convDesc) {
  return create(cudnn_convolutions(), convDesc);
}

cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t convDesc) {
  return destroy(cudnn_convolutions(), convDesc);
}

cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t convDesc, int pad_h, int pad_w, int u, int v,
                                              int dilation_h, int dilation_w, cudnnConvolutionMode_t mode,
                                              cudnnDataType_t computeType) {
  if (convDesc == nullptr) return bad_parameter("a convolution descriptor that is null");
  cudnn_convolutions().check(convDesc);
  if (pad_h < 0 || pad_w < 0) return bad_parameter("padding {}, {}", pad_h, pad_w);
  if (u <= 0 || v <= 0) return bad_parameter("stride {}, {}", u, v);
  if (dilation_h <= 0 || dilation_w <= 0) return bad_parameter("dilation {}, {}", dilation_h, dilation_w);
  if ((mode != CUDNN_CONVOLUTION && mode != CUDNN_CROSS_CORRELATION) || !valid(computeType))
    return bad_parameter("mode {}, compute type {}", static_cast<int>(mode), static_cast<int>(computeType));
  // The math type and the groups stay as they are.
  *convDesc = {true, pad_h, pad_w, u, v, dilation_h, dilation_w, mode, computeType, convDesc->math, convDesc->groups};
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetConvolution2dDescriptor(const cudnnConvolutionDescriptor_t convDesc, int* pad_h, int* pad_w,
                                              int* u, int* v, int* dilation_h, int* dilation_w,
                                              cudnnConvolutionMode_t* mode, cudnnDataType_t* computeType) {
  if (convDesc == nullptr) return bad_parameter("a convolution descriptor that is null");
  cudnn_convolutions().check(convDesc);
  *pad_h = convDesc->pad_h, *pad_w = convDesc->pad_w, *u = convDesc->stride_h, *v = convDesc->stride_w;
  *dilation_h = convDesc->dilation_h, *dilation_w = convDesc->dilation_w;
  *mode = convDesc->mode, *computeType = convDesc->compute_type;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t convDesc, cudnnMathType_t mathType) {
  if (convDesc == nullptr) return bad_parameter("a convolution descriptor that is null");
  cudnn_convolutions().check(convDesc);
  if (mathType < CUDNN_DEFAULT_MATH || mathType > CUDNN_FMA_MATH)
    return bad_parameter("math type {}", static_cast<int>(mathType));
  convDesc->math = mathType;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetConvolutionMathType(cudnnConvolutionDescriptor_t convDesc, cudnnMathType_t* mathType) {
  if (convDesc == nullptr || mathType == nullptr) return bad_parameter("a convolution descriptor that is null");
  cudnn_convolutions().check(convDesc);
  *mathType = convDesc->math;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetConvolutionGroupCount(cudnnConvolutionDescriptor_t convDesc, int groupCount) {
  if (convDesc == nullptr) return bad_parameter("a convolution descriptor that is null");
  cudnn_convolutions().check(convDesc);
  if (groupCount <= 0) return bad_parameter("{} groups", groupCount);
  convDesc->groups = groupCount;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetConvolutionGroupCount(cudnnConvolutionDescriptor_t convDesc, int* groupCount) {
  if (convDesc == nullptr || groupCount == nullptr) return bad_parameter("a convolution descriptor that is null");
  cudnn_convolutions().check(convDesc);
  *groupCount = convDesc->groups;
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace melgrad::simt
