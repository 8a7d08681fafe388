// The stand-in of cuDNN, its descriptors: against the cuDNN API documentation and against cuDNN 9.19, whose descriptors need
// no GPU. Sentences in quotation marks are the documentation's own.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/kernels/cudnn_case.h"

namespace melgrad::simt {
namespace {

// "CUDNN_STATUS_BAD_PARAM: At least one of the parameters n, c, h, w was negative or format has an invalid enumerant
// value or dataType has an invalid enumerant value." "The total size of a tensor including the potential padding between
// dimensions is limited to 2 Giga-elements of type datatype." (cudnnSetTensor4dDescriptor())
TEST_CASE("stand-in of cuDNN: tensor descriptors") {
  const CudnnLayer layer;
  const auto set = [&](cudnnTensorFormat_t format, cudnnDataType_t type, int n, int c, int h, int w) {
    return cudnnSetTensor4dDescriptor(layer.x, format, type, n, c, h, w);
  };
  CHECK(set(CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, -1, 2, 3, 4) == CUDNN_STATUS_BAD_PARAM);
  CHECK(set(CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 1, 2, 0, 4) == CUDNN_STATUS_BAD_PARAM);
  CHECK(set(static_cast<cudnnTensorFormat_t>(7), CUDNN_DATA_FLOAT, 1, 2, 3, 4) == CUDNN_STATUS_BAD_PARAM);
  CHECK(set(CUDNN_TENSOR_NHWC, static_cast<cudnnDataType_t>(99), 1, 2, 3, 4) == CUDNN_STATUS_BAD_PARAM);
  CHECK(set(CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 32768, 65536, 1, 1) == CUDNN_STATUS_NOT_SUPPORTED);
  CHECK(cudnnSetTensor4dDescriptor(nullptr, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 1, 2, 3, 4) == CUDNN_STATUS_BAD_PARAM);

  cudnnDataType_t type = CUDNN_DATA_HALF;
  int n = 0, c = 0, h = 0, w = 0, stride[4] = {};
  size_t bytes = 0;
  const auto get = [&] {
    CHECK(cudnnGetTensor4dDescriptor(layer.x, &type, &n, &c, &h, &w, &stride[0], &stride[1], &stride[2], &stride[3]) ==
          CUDNN_STATUS_SUCCESS);
    CHECK(cudnnGetTensorSizeInBytes(layer.x, &bytes) == CUDNN_STATUS_SUCCESS);
    return std::vector<int>{n, c, h, w, stride[0], stride[1], stride[2], stride[3], static_cast<int>(bytes)};
  };
  // CUDNN_TENSOR_NHWC: "feature maps interleaved ( cStride = 1 )" (cudnn_graph.h)
  REQUIRE(set(CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 2, 3, 5, 7) == CUDNN_STATUS_SUCCESS);
  CHECK(get() == std::vector{2, 3, 5, 7, 105, 1, 21, 3, 840});
  REQUIRE(set(CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT, 2, 3, 5, 7) == CUDNN_STATUS_SUCCESS);
  CHECK(get() == std::vector{2, 3, 5, 7, 105, 35, 7, 1, 840});
  REQUIRE(cudnnSetTensor4dDescriptorEx(layer.x, CUDNN_DATA_FLOAT, 2, 3, 5, 7, 200, 1, 30, 3) == CUDNN_STATUS_SUCCESS);
  CHECK(get() == std::vector{2, 3, 5, 7, 200, 1, 30, 3, 1364});
  const int sizes[] = {1, 2, 3, 4}, strides[] = {24, 12, 4, 1};
  REQUIRE(cudnnSetTensorNdDescriptor(layer.x, CUDNN_DATA_FLOAT, 4, sizes, strides) == CUDNN_STATUS_SUCCESS);
  CHECK(get() == std::vector{1, 2, 3, 4, 24, 12, 4, 1, 96});
  CHECK(cudnnSetTensor4dDescriptorEx(layer.x, CUDNN_DATA_FLOAT, 2, 3, 5, 7, 0, 1, 30, 3) == CUDNN_STATUS_BAD_PARAM);
  CHECK(cudnnSetTensorNdDescriptor(layer.x, CUDNN_DATA_FLOAT, 9, sizes, strides) == CUDNN_STATUS_NOT_SUPPORTED);
  CHECK(cudnnSetTensorNdDescriptor(layer.x, CUDNN_DATA_FLOAT, 0, sizes, strides) == CUDNN_STATUS_BAD_PARAM);
  CHECK(get() == std::vector{1, 2, 3, 4, 24, 12, 4, 1, 96});  // what was refused has changed nothing
}

TEST_CASE("stand-in of cuDNN: filter and convolution descriptors") {
  const CudnnLayer layer;
  const auto filter = [&](int k, cudnnTensorFormat_t format) {
    return cudnnSetFilter4dDescriptor(layer.w, CUDNN_DATA_FLOAT, format, k, 3, 3, 2);
  };
  CHECK(filter(-1, CUDNN_TENSOR_NHWC) == CUDNN_STATUS_BAD_PARAM);
  CHECK(filter(4, static_cast<cudnnTensorFormat_t>(9)) == CUDNN_STATUS_BAD_PARAM);
  CHECK(filter(4, CUDNN_TENSOR_NHWC) == CUDNN_STATUS_SUCCESS);
  size_t bytes = 0;
  CHECK(cudnnGetFilterSizeInBytes(layer.w, &bytes) == CUDNN_STATUS_SUCCESS);
  CHECK(bytes == 288);

  const auto set = [&](int pad, int stride, int dilation, int mode) {
    return cudnnSetConvolution2dDescriptor(layer.convolution, pad, 2, 3, stride, dilation, 1,
                                           static_cast<cudnnConvolutionMode_t>(mode), CUDNN_DATA_FLOAT);
  };
  // "CUDNN_STATUS_BAD_PARAM: […] One of the parameters pad_h,pad_w is strictly negative. One of the parameters u,v is
  // negative or zero. One of the parameters dilation_h,dilation_w is negative or zero. The parameter mode has an invalid
  // enumerant value." (cudnnSetConvolution2dDescriptor())
  CHECK(set(-1, 1, 1, CUDNN_CROSS_CORRELATION) == CUDNN_STATUS_BAD_PARAM);
  CHECK(set(0, 0, 1, CUDNN_CROSS_CORRELATION) == CUDNN_STATUS_BAD_PARAM);
  CHECK(set(0, 1, 0, CUDNN_CROSS_CORRELATION) == CUDNN_STATUS_BAD_PARAM);
  CHECK(set(0, 1, 1, 2) == CUDNN_STATUS_BAD_PARAM);
  CHECK(cudnnSetConvolutionMathType(layer.convolution, static_cast<cudnnMathType_t>(4)) == CUDNN_STATUS_BAD_PARAM);
  CHECK(cudnnSetConvolutionGroupCount(layer.convolution, 0) == CUDNN_STATUS_BAD_PARAM);
  REQUIRE(cudnnSetConvolutionMathType(layer.convolution, CUDNN_FMA_MATH) == CUDNN_STATUS_SUCCESS);
  REQUIRE(cudnnSetConvolutionGroupCount(layer.convolution, 3) == CUDNN_STATUS_SUCCESS);
  REQUIRE(set(1, 4, 5, CUDNN_CROSS_CORRELATION) == CUDNN_STATUS_SUCCESS);
  cudnnMathType_t math = CUDNN_DEFAULT_MATH;
  int groups = 0;
  CHECK(cudnnGetConvolutionMathType(layer.convolution, &math) == CUDNN_STATUS_SUCCESS);
  CHECK(cudnnGetConvolutionGroupCount(layer.convolution, &groups) == CUDNN_STATUS_SUCCESS);
  CHECK(math == CUDNN_FMA_MATH);  // kept, as cuDNN 9.19 does
  CHECK(groups == 3);
  CHECK(cudnnGetErrorString(CUDNN_STATUS_BAD_PARAM) == std::string("CUDNN_STATUS_BAD_PARAM"));
  CHECK(cudnnGetErrorString(static_cast<cudnnStatus_t>(77)) == std::string("CUDNN_UNKNOWN_STATUS"));
}

// "outputDim = 1 + ( inputDim + 2*pad - (((filterDim-1)*dilation)+1) )/convolutionStride;"
// (cudnnGetConvolutionNdForwardOutputDim()) In our words: descriptors that nobody has set, and a filter of another number
// of feature maps than the input, are CUDNN_STATUS_BAD_PARAM. (cudnnGetConvolution2dForwardOutputDim())
TEST_CASE("stand-in of cuDNN: sizes of the output") {
  const CudnnLayer layer;
  int n = 0, c = 0, h = 0, w = 0;
  const auto ask = [&] {
    return cudnnGetConvolution2dForwardOutputDim(layer.convolution, layer.x, layer.w, &n, &c, &h, &w);
  };
  CHECK(ask() == CUDNN_STATUS_BAD_PARAM);  // nothing is set
  REQUIRE(cudnnSetTensor4dDescriptor(layer.x, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 2, 3, 5, 7) == CUDNN_STATUS_SUCCESS);
  for (const int pad : {0, 1, 3}) {
    for (const int stride : {1, 2, 3}) {
      for (const int dilation : {1, 2}) {
        for (const int size : {1, 2, 3}) {
          cudnnSetFilter4dDescriptor(layer.w, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, 4, 3, size, 2);
          cudnnSetConvolution2dDescriptor(layer.convolution, pad, 2, stride, 1, dilation, 3, CUDNN_CROSS_CORRELATION,
                                          CUDNN_DATA_FLOAT);
          REQUIRE(ask() == CUDNN_STATUS_SUCCESS);
          CHECK(n == 2);
          CHECK(c == 4);
          CHECK(h == 1 + (5 + 2 * pad - (((size - 1) * dilation) + 1)) / stride);
          CHECK(w == 1 + (7 + 4 - 4));
        }
      }
    }
  }
  cudnnSetFilter4dDescriptor(layer.w, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, 4, 2, 3, 2);
  CHECK(ask() == CUDNN_STATUS_BAD_PARAM);  // 2 maps in the filter, 3 in the tensor
  cudnnSetFilter4dDescriptor(layer.w, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, 4, 3, 12, 2);
  CHECK(ask() == CUDNN_STATUS_BAD_PARAM);  // larger than the padded input
  cudnnSetFilter4dDescriptor(layer.w, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, 4, 1, 3, 2);
  cudnnSetConvolutionGroupCount(layer.convolution, 3);
  CHECK(ask() == CUDNN_STATUS_SUCCESS);
}

}  // namespace
}  // namespace melgrad::simt
