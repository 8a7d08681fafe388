// What the handles and descriptors of cuDNN's stand-in point to, and the text of the last error.
#pragma once

#include <array>
#include <cstdint>

#include "kernels/error.h"
#include "kernels/simt/libraries/cudnn.h"
#include "kernels/simt/libraries/live_objects.h"

namespace melgrad::simt {

struct cudnnContext {
  cudaStream_t stream = nullptr;
};

struct cudnnTensorStruct {
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  int dimensions = 0;  // none before it is set
  std::array<int, CUDNN_DIM_MAX> sizes{}, strides{};
};

struct cudnnFilterStruct {
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  cudnnTensorFormat_t format = CUDNN_TENSOR_NCHW;
  int k = 0, c = 0, h = 0, w = 0;
};

struct cudnnConvolutionStruct {
  bool set = false;
  int pad_h = 0, pad_w = 0, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  cudnnConvolutionMode_t mode = CUDNN_CONVOLUTION;
  cudnnDataType_t compute_type = CUDNN_DATA_FLOAT;
  cudnnMathType_t math = CUDNN_DEFAULT_MATH;
  int groups = 1;
};

LiveObjects<cudnnContext>& cudnn_contexts();
LiveObjects<cudnnTensorStruct>& cudnn_tensors();
LiveObjects<cudnnFilterStruct>& cudnn_filters();
LiveObjects<cudnnConvolutionStruct>& cudnn_convolutions();

// Keeps the text for cudnnGetLastErrorString and returns the status.
cudnnStatus_t cudnn_refusal(cudnnStatus_t status, const std::string& text);

template <class... Args>
cudnnStatus_t bad_parameter(fmt::format_string<Args...> format, Args&&... args) {
  return cudnn_refusal(CUDNN_STATUS_BAD_PARAM, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
cudnnStatus_t not_supported(fmt::format_string<Args...> format, Args&&... args) {
  return cudnn_refusal(CUDNN_STATUS_NOT_SUPPORTED, fmt::format(format, std::forward<Args>(args)...));
}

inline std::size_t bytes_of(cudnnDataType_t type) {
  return type == CUDNN_DATA_DOUBLE ? 8 : type == CUDNN_DATA_FLOAT ? 4 : 2;
}

}  // namespace melgrad::simt
