// What the tests of cuDNN's stand-in share: descriptors, and convolutions of every kind that are set in them.
#pragma once

#include <doctest/doctest.h>

#include "kernels/simt/libraries/cudnn.h"

namespace melgrad::simt {

inline constexpr float one = 1.0f, zero = 0.0f;

// A handle and one descriptor for each part of a convolution.
struct CudnnLayer {
  CudnnLayer() {
    CHECK(cudnnCreate(&handle) == CUDNN_STATUS_SUCCESS);
    CHECK(cudnnSetStream(handle, main_stream()) == CUDNN_STATUS_SUCCESS);
    CHECK(cudnnCreateTensorDescriptor(&x) == CUDNN_STATUS_SUCCESS);
    CHECK(cudnnCreateTensorDescriptor(&y) == CUDNN_STATUS_SUCCESS);
    CHECK(cudnnCreateFilterDescriptor(&w) == CUDNN_STATUS_SUCCESS);
    CHECK(cudnnCreateConvolutionDescriptor(&convolution) == CUDNN_STATUS_SUCCESS);
  }
  ~CudnnLayer() {
    CHECK(cudnnDestroyConvolutionDescriptor(convolution) == CUDNN_STATUS_SUCCESS);
    CHECK(cudnnDestroyFilterDescriptor(w) == CUDNN_STATUS_SUCCESS);
    CHECK(cudnnDestroyTensorDescriptor(y) == CUDNN_STATUS_SUCCESS);
    CHECK(cudnnDestroyTensorDescriptor(x) == CUDNN_STATUS_SUCCESS);
    CHECK(cudnnDestroy(handle) == CUDNN_STATUS_SUCCESS);
  }
  cudnnHandle_t handle = nullptr;
  cudnnTensorDescriptor_t x = nullptr, y = nullptr;
  cudnnFilterDescriptor_t w = nullptr;
  cudnnConvolutionDescriptor_t convolution = nullptr;
};

struct ConvolutionCase {
  int n, c, h, w, k, r, s, pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w, groups;
  cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
  cudnnTensorFormat_t format = CUDNN_TENSOR_NHWC;

  int p() const { return 1 + (h + 2 * pad_h - (r - 1) * dilation_h - 1) / stride_h; }
  int q() const { return 1 + (w + 2 * pad_w - (s - 1) * dilation_w - 1) / stride_w; }
  int x_size() const { return n * c * h * w; }
  int w_size() const { return k * c / groups * r * s; }
  int y_size() const { return n * k * p() * q(); }
  // Where element (image, map, row, column) of an array of `maps` maps of `rows` × `columns` lies.
  std::size_t at(int image, int map, int row, int column, int maps, int rows, int columns) const {
    return static_cast<std::size_t>(format == CUDNN_TENSOR_NHWC
                                        ? ((image * rows + row) * columns + column) * maps + map
                                        : ((image * maps + map) * rows + row) * columns + column);
  }
};

inline const ConvolutionCase cudnn_cases[] = {
    {2, 3, 5, 6, 4, 3, 2, 1, 0, 1, 1, 1, 1, 1},
    {1, 4, 7, 5, 6, 2, 3, 2, 1, 2, 3, 1, 2, 2},
    {3, 4, 4, 1, 4, 3, 1, 1, 0, 1, 1, 1, 1, 4},
    {2, 3, 5, 6, 4, 3, 2, 1, 0, 1, 1, 1, 1, 1, CUDNN_CONVOLUTION},
    {1, 4, 7, 5, 6, 2, 3, 2, 1, 2, 3, 2, 1, 2, CUDNN_CONVOLUTION, CUDNN_TENSOR_NCHW},
    {2, 1, 9, 8, 2, 3, 3, 0, 2, 3, 1, 1, 3, 1, CUDNN_CROSS_CORRELATION, CUDNN_TENSOR_NCHW},
};

inline void describe(const CudnnLayer& layer, const ConvolutionCase& p) {
  REQUIRE(cudnnSetTensor4dDescriptor(layer.x, p.format, CUDNN_DATA_FLOAT, p.n, p.c, p.h, p.w) == CUDNN_STATUS_SUCCESS);
  REQUIRE(cudnnSetFilter4dDescriptor(layer.w, CUDNN_DATA_FLOAT, p.format, p.k, p.c / p.groups, p.r, p.s) ==
          CUDNN_STATUS_SUCCESS);
  REQUIRE(cudnnSetConvolution2dDescriptor(layer.convolution, p.pad_h, p.pad_w, p.stride_h, p.stride_w, p.dilation_h,
                                          p.dilation_w, p.mode, CUDNN_DATA_FLOAT) == CUDNN_STATUS_SUCCESS);
  REQUIRE(cudnnSetConvolutionGroupCount(layer.convolution, p.groups) == CUDNN_STATUS_SUCCESS);
  REQUIRE(cudnnSetConvolutionMathType(layer.convolution, CUDNN_FMA_MATH) == CUDNN_STATUS_SUCCESS);
  REQUIRE(cudnnSetTensor4dDescriptor(layer.y, p.format, CUDNN_DATA_FLOAT, p.n, p.k, p.p(), p.q()) ==
          CUDNN_STATUS_SUCCESS);
}

}  // namespace melgrad::simt
