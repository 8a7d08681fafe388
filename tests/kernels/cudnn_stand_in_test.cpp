// The stand-in of cuDNN against the cuDNN API documentation, whose sentences are quoted, and plain loops in f64. What
// descriptors answer was also compared with cuDNN 9.19, whose descriptors need no GPU.
#include "kernels/simt/libraries/cudnn.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "kernels/simt/libraries/live_objects.h"
#include "tests/kernels/device_array.h"

namespace melgrad::simt {
namespace {

constexpr float one = 1.0f, zero = 0.0f;

// A handle and one descriptor for each part of a convolution.
struct Layer {
  Layer() {
    CHECK(cudnnCreate(&handle) == CUDNN_STATUS_SUCCESS);
    CHECK(cudnnSetStream(handle, main_stream()) == CUDNN_STATUS_SUCCESS);
    CHECK(cudnnCreateTensorDescriptor(&x) == CUDNN_STATUS_SUCCESS);
    CHECK(cudnnCreateTensorDescriptor(&y) == CUDNN_STATUS_SUCCESS);
    CHECK(cudnnCreateFilterDescriptor(&w) == CUDNN_STATUS_SUCCESS);
    CHECK(cudnnCreateConvolutionDescriptor(&convolution) == CUDNN_STATUS_SUCCESS);
  }
  ~Layer() {
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

// ---- descriptors

// "CUDNN_STATUS_BAD_PARAM: At least one of the parameters n, c, h, w was negative or format has an invalid enumerant
// value or dataType has an invalid enumerant value." "The total size of a tensor including the potential padding between
// dimensions is limited to 2 Giga-elements of type datatype." (cudnnSetTensor4dDescriptor())
TEST_CASE("stand-in of cuDNN: tensor descriptors") {
  const Layer layer;
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
  const Layer layer;
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
  // "CUDNN_STATUS_BAD_PARAM: One of the parameters pad_h, pad_w is strictly negative. One of the parameters u, v is
  // negative or zero. One of the parameters dilation_h, dilation_w is negative or zero. The parameter mode has an invalid
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
// (cudnnGetConvolutionNdForwardOutputDim()) "CUDNN_STATUS_BAD_PARAM: One or more of the descriptors has not been created
// correctly or there is a mismatch between the feature maps of inputTensorDesc and filterDesc."
// (cudnnGetConvolution2dForwardOutputDim())
TEST_CASE("stand-in of cuDNN: sizes of the output") {
  const Layer layer;
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

// ---- what a convolution computes

struct Case {
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

const Case cases[] = {
    {2, 3, 5, 6, 4, 3, 2, 1, 0, 1, 1, 1, 1, 1},
    {1, 4, 7, 5, 6, 2, 3, 2, 1, 2, 3, 1, 2, 2},
    {3, 4, 4, 1, 4, 3, 1, 1, 0, 1, 1, 1, 1, 4},
    {2, 3, 5, 6, 4, 3, 2, 1, 0, 1, 1, 1, 1, 1, CUDNN_CONVOLUTION},
    {1, 4, 7, 5, 6, 2, 3, 2, 1, 2, 3, 2, 1, 2, CUDNN_CONVOLUTION, CUDNN_TENSOR_NCHW},
    {2, 1, 9, 8, 2, 3, 3, 0, 2, 3, 1, 1, 3, 1, CUDNN_CROSS_CORRELATION, CUDNN_TENSOR_NCHW},
};

void describe(const Layer& layer, const Case& p) {
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

// Calls body(x, w, y) with the places of each product of the definition: y += x · w.
//   y[n, k, p, q] = Σ x[n, c, p · u + r · dilation - pad, …] · w[k, c, r, s], and w[k, c, R - 1 - r, …] for a
// CUDNN_CONVOLUTION; "In this mode, a convolution operation will be done when applying the filter to the images", and
// CUDNN_CROSS_CORRELATION "a cross-correlation operation". (cudnnConvolutionMode_t)
template <class Body>
void each_product(const Case& e, const Body& body) {
  const int c_per_group = e.c / e.groups, k_per_group = e.k / e.groups;
  for (int n = 0; n < e.n; ++n)
    for (int k = 0; k < e.k; ++k)
      for (int p = 0; p < e.p(); ++p)
        for (int q = 0; q < e.q(); ++q)
          for (int c = 0; c < c_per_group; ++c)
            for (int r = 0; r < e.r; ++r)
              for (int s = 0; s < e.s; ++s) {
                const int i = p * e.stride_h + r * e.dilation_h - e.pad_h;
                const int j = q * e.stride_w + s * e.dilation_w - e.pad_w;
                if (i < 0 || i >= e.h || j < 0 || j >= e.w) continue;
                const bool turned = e.mode == CUDNN_CONVOLUTION;
                const int tap_r = turned ? e.r - 1 - r : r, tap_s = turned ? e.s - 1 - s : s;
                body(e.at(n, k / k_per_group * c_per_group + c, i, j, e.c, e.h, e.w),
                     e.at(k, c, tap_r, tap_s, c_per_group, e.r, e.s), e.at(n, k, p, q, e.k, e.p(), e.q()));
              }
}

// Sums in f64 on both sides, perhaps in another order, rounded once.
void check_equal(const std::vector<float>& result, const std::vector<double>& expected) {
  REQUIRE(result.size() == expected.size());
  for (std::size_t i = 0; i < result.size(); ++i)
    CHECK(std::abs(result[i] - expected[i]) <= 1e-7 * (1 + std::abs(expected[i])));
}

// What blends: "dstValue = alpha[0]*result + beta[0]*priorDstValue" (cudnnConvolutionForward())
std::vector<double> blended(std::vector<double> result, float alpha, float beta, const std::vector<float>& prior) {
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = alpha * result[i] + beta * prior[i];
  return result;
}

TEST_CASE("stand-in of cuDNN: the convolution and both of its gradients") {
  const Layer layer;
  const float alpha = 0.5f, beta = -3.0f;
  for (const Case& e : cases) {
    CAPTURE(&e - cases);
    describe(layer, e);
    const std::vector<float> x = random_floats(static_cast<std::size_t>(e.x_size()), 1);
    const std::vector<float> w = random_floats(static_cast<std::size_t>(e.w_size()), 2);
    const std::vector<float> y = random_floats(static_cast<std::size_t>(e.y_size()), 3);
    std::vector<double> sum_x(x.size()), sum_w(w.size()), sum_y(y.size());
    each_product(e, [&](std::size_t i, std::size_t j, std::size_t k) {
      sum_y[k] += double{x[i]} * w[j];
      sum_x[i] += double{w[j]} * y[k];
      sum_w[j] += double{x[i]} * y[k];
    });
    const DeviceArray<float> at_x(x), at_w(w), at_y(y), workspace(4096);
    const size_t bytes = static_cast<size_t>(workspace.bytes());
    // With beta 0 NaN is overwritten; otherwise the old value counts.
    for (const float scale : {0.0f, beta}) {
      const auto prior = [&](const std::vector<float>& values) {
        return DeviceArray<float>(
            scale == 0 ? std::vector<float>(values.size(), std::numeric_limits<float>::quiet_NaN()) : values);
      };
      const DeviceArray<float> out_y = prior(y), out_x = prior(x), out_w = prior(w);
      REQUIRE(cudnnConvolutionForward(layer.handle, &alpha, layer.x, at_x.data(), layer.w, at_w.data(),
                                      layer.convolution, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
                                      workspace.data(), bytes, &scale, layer.y, out_y.data()) == CUDNN_STATUS_SUCCESS);
      check_equal(out_y.values(), blended(sum_y, alpha, scale, y));
      REQUIRE(cudnnConvolutionBackwardData(layer.handle, &alpha, layer.w, at_w.data(), layer.y, at_y.data(),
                                           layer.convolution, CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, workspace.data(),
                                           bytes, &scale, layer.x, out_x.data()) == CUDNN_STATUS_SUCCESS);
      check_equal(out_x.values(), blended(sum_x, alpha, scale, x));
      REQUIRE(cudnnConvolutionBackwardFilter(layer.handle, &alpha, layer.x, at_x.data(), layer.y, at_y.data(),
                                             layer.convolution, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, workspace.data(),
                                             bytes, &scale, layer.w, out_w.data()) == CUDNN_STATUS_SUCCESS);
      check_equal(out_w.values(), blended(sum_w, alpha, scale, w));
    }
  }
}

// "This function computes the convolution gradient with respect to the bias, which is the sum of every element belonging
// to the same feature map across all of the images of the input tensor. Therefore, the number of elements produced is
// equal to the number of features maps of the input tensor." (cudnnConvolutionBackwardBias())
TEST_CASE("stand-in of cuDNN: the gradient of the bias") {
  const Layer layer;
  cudnnTensorDescriptor_t bias = nullptr;
  REQUIRE(cudnnCreateTensorDescriptor(&bias) == CUDNN_STATUS_SUCCESS);
  const std::vector<float> dy = random_floats(2 * 3 * 5 * 4, 1), prior = random_floats(3, 2);
  const DeviceArray<float> at_dy(dy);
  const float alpha = 2.0f, beta = 0.25f;
  for (const bool nhwc : {true, false}) {
    std::vector<double> sums(3);
    for (std::size_t i = 0; i < dy.size(); ++i) sums[nhwc ? i % 3 : i / 20 % 3] += dy[i];
    const cudnnTensorFormat_t format = nhwc ? CUDNN_TENSOR_NHWC : CUDNN_TENSOR_NCHW;
    cudnnSetTensor4dDescriptor(layer.y, format, CUDNN_DATA_FLOAT, 2, 3, 5, 4);
    cudnnSetTensor4dDescriptor(bias, format, CUDNN_DATA_FLOAT, 1, 3, 1, 1);
    const DeviceArray<float> db(prior), fresh(3);
    REQUIRE(cudnnConvolutionBackwardBias(layer.handle, &alpha, layer.y, at_dy.data(), &beta, bias, db.data()) ==
            CUDNN_STATUS_SUCCESS);
    check_equal(db.values(), blended(sums, alpha, beta, prior));
    REQUIRE(cudnnConvolutionBackwardBias(layer.handle, &one, layer.y, at_dy.data(), &zero, bias, fresh.data()) ==
            CUDNN_STATUS_SUCCESS);
    check_equal(fresh.values(), sums);
  }
  const DeviceArray<float> db(6);
  for (const auto& [n, c] : {std::pair{2, 3}, std::pair{1, 2}}) {
    cudnnSetTensor4dDescriptor(bias, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, n, c, 1, 1);
    CHECK(cudnnConvolutionBackwardBias(layer.handle, &one, layer.y, at_dy.data(), &zero, bias, db.data()) ==
          CUDNN_STATUS_BAD_PARAM);
  }
  CHECK(cudnnDestroyTensorDescriptor(bias) == CUDNN_STATUS_SUCCESS);
}

// ---- algorithms

// "This function will return all algorithms (including CUDNN_TENSOR_OP_MATH and CUDNN_DEFAULT_MATH versions of algorithms
// where CUDNN_TENSOR_OP_MATH may be available) sorted by expected (based on internal heuristic) relative performance with
// fastest being index 0 of perfResults." (cudnnGetConvolutionForwardAlgorithm_v7()) "status: […] this will be the
// return status of cudnnConvolutionForward()", "memory: The workspace size (in bytes)." (cudnnConvolutionFwdAlgoPerf_t)
TEST_CASE("stand-in of cuDNN: what the query for algorithms promises, the convolution keeps") {
  const Layer layer;
  describe(layer, cases[0]);
  const Case& e = cases[0];
  const DeviceArray<float> x(static_cast<std::size_t>(e.x_size()), 1.0f);
  const DeviceArray<float> w(static_cast<std::size_t>(e.w_size()), 1.0f);
  const DeviceArray<float> y(static_cast<std::size_t>(e.y_size()), 1.0f);
  for (const cudnnMathType_t asked : {CUDNN_FMA_MATH, CUDNN_DEFAULT_MATH}) {
    REQUIRE(cudnnSetConvolutionMathType(layer.convolution, asked) == CUDNN_STATUS_SUCCESS);
    int most = 0, returned = 0;
    REQUIRE(cudnnGetConvolutionForwardAlgorithmMaxCount(layer.handle, &most) == CUDNN_STATUS_SUCCESS);
    std::vector<cudnnConvolutionFwdAlgoPerf_t> results(static_cast<std::size_t>(most));
    REQUIRE(cudnnGetConvolutionForwardAlgorithm_v7(layer.handle, layer.x, layer.w, layer.convolution, layer.y, most,
                                                   &returned, results.data()) == CUDNN_STATUS_SUCCESS);
    REQUIRE(returned <= most);
    int succeeded = 0;
    for (int i = 0; i < returned; ++i) {
      const auto& result = results[static_cast<std::size_t>(i)];
      CHECK((result.mathType == CUDNN_DEFAULT_MATH ||
             (asked == CUDNN_DEFAULT_MATH && result.mathType == CUDNN_TENSOR_OP_MATH)));
      REQUIRE(cudnnSetConvolutionMathType(layer.convolution, result.mathType) == CUDNN_STATUS_SUCCESS);
      size_t bytes = 0;
      CHECK(cudnnGetConvolutionForwardWorkspaceSize(layer.handle, layer.x, layer.w, layer.convolution, layer.y,
                                                    result.algo, &bytes) == result.status);
      CHECK(bytes == result.memory);
      const DeviceArray<char> workspace(result.memory, 'x');
      const auto run = [&](size_t size) {
        return cudnnConvolutionForward(layer.handle, &one, layer.x, x.data(), layer.w, w.data(), layer.convolution,
                                       result.algo, workspace.data(), size, &zero, layer.y, y.data());
      };
      CHECK(run(result.memory) == result.status);
      if (result.status != CUDNN_STATUS_SUCCESS) continue;
      ++succeeded;
      for (const char value : workspace.values()) CHECK(value != 'x');
      if (result.memory > 0) CHECK(run(result.memory - 1) == CUDNN_STATUS_BAD_PARAM);
    }
    CHECK(succeeded >= 2);
    CHECK(results[0].status == CUDNN_STATUS_NOT_SUPPORTED);  // so that nobody takes the first unseen
    CHECK(cudnnGetConvolutionForwardAlgorithm_v7(layer.handle, layer.x, layer.w, layer.convolution, layer.y, 2,
                                                 &returned, results.data()) == CUDNN_STATUS_SUCCESS);
    CHECK(returned == 2);
    CHECK(cudnnGetConvolutionForwardAlgorithm_v7(layer.handle, layer.x, layer.w, layer.convolution, layer.y, 0,
                                                 &returned, results.data()) == CUDNN_STATUS_BAD_PARAM);
  }
}

// "CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0: This algorithm expresses the convolution as a sum of matrix products without
// actually explicitly forming the matrix that holds the input tensor data. The sum is done using the atomic add
// operation, thus the results are non-deterministic." "…_ALGO_1: […] The results are deterministic." "…_ALGO_3: […] The
// results are also non-deterministic." (cudnnConvolutionBwdFilterAlgo_t) "dwDesc may only have format CUDNN_TENSOR_NHWC
// when all of the following are true: algo is CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0 or
// CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1; xDesc and dyDesc is NHWC HWC-packed; Data type configuration is
// PSEUDO_HALF_CONFIG or FLOAT_CONFIG; The convolution is 2-dimensional." (cudnnConvolutionBackwardFilter())
TEST_CASE("stand-in of cuDNN: non-deterministic algorithms give other bits at each call") {
  const Layer layer;
  for (const int which : {0, 4}) {  // NHWC, NCHW
    const Case& e = cases[which];
    describe(layer, e);
    const bool nhwc = e.format == CUDNN_TENSOR_NHWC;
    const DeviceArray<float> x(random_floats(static_cast<std::size_t>(e.x_size()), 1)), dw(400), dx(400);
    const DeviceArray<float> dy(random_floats(static_cast<std::size_t>(e.y_size()), 2)), workspace(4096);
    const DeviceArray<float> w(random_floats(static_cast<std::size_t>(e.w_size()), 3));
    std::vector<cudnnConvolutionBwdFilterAlgoPerf_t> results(20);
    int returned = 0;
    REQUIRE(cudnnGetConvolutionBackwardFilterAlgorithm_v7(layer.handle, layer.x, layer.y, layer.convolution, layer.w,
                                                          20, &returned, results.data()) == CUDNN_STATUS_SUCCESS);
    int found = 0;
    for (int i = 0; i < returned; ++i) {
      const auto& result = results[static_cast<std::size_t>(i)];
      const bool deterministic =
          result.algo != CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0 && result.algo != CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3;
      CHECK((result.determinism == CUDNN_DETERMINISTIC) == deterministic);
      const bool allowed = result.algo == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0 ||
                           result.algo == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1 ||
                           (!nhwc && result.algo == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3);
      CHECK((result.status == CUDNN_STATUS_SUCCESS) == allowed);
      if (!allowed) continue;
      ++found;
      std::vector<std::vector<float>> gradients;
      for (int call = 0; call < 4; ++call) {
        REQUIRE(cudnnConvolutionBackwardFilter(layer.handle, &one, layer.x, x.data(), layer.y, dy.data(),
                                               layer.convolution, result.algo, workspace.data(),
                                               static_cast<size_t>(workspace.bytes()), &zero, layer.w,
                                               dw.data()) == CUDNN_STATUS_SUCCESS);
        gradients.push_back(dw.values());
        gradients.back().resize(static_cast<std::size_t>(e.w_size()));
      }
      CHECK(std::all_of(gradients.begin(), gradients.end(), [&](const auto& g) { return g == gradients[0]; }) ==
            deterministic);
    }
    CHECK(found == (nhwc ? 2 : 3));
    // Of the data gradient, the deterministic one alone takes filters in NHWC.
    const cudnnStatus_t status = cudnnConvolutionBackwardData(
        layer.handle, &one, layer.w, w.data(), layer.y, dy.data(), layer.convolution, CUDNN_CONVOLUTION_BWD_DATA_ALGO_0,
        workspace.data(), static_cast<size_t>(workspace.bytes()), &zero, layer.x, dx.data());
    CHECK(status == (nhwc ? CUDNN_STATUS_NOT_SUPPORTED : CUDNN_STATUS_SUCCESS));
  }
}

// "CUDNN_DEFAULT_MATH: Tensor Core operations are not used on pre-NVIDIA A100 GPU devices. On A100 GPU devices, Tensor
// Core TF32 operation is permitted." "CUDNN_FMA_MATH: Restricted to only kernels that use FMA instructions."
// (cudnnMathType_t)
TEST_CASE("stand-in of cuDNN: only CUDNN_FMA_MATH is f32") {
  const Layer layer;
  describe(layer, {1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1});
  const float fine = 1.0f + 0x1.8p-11f, coarse = 1.0f + 0x1p-10f;
  const DeviceArray<float> x(std::vector<float>{fine}), w(std::vector<float>{1.0f}), y(1), workspace(4096);
  const auto product = [&](cudnnMathType_t math) {
    REQUIRE(cudnnSetConvolutionMathType(layer.convolution, math) == CUDNN_STATUS_SUCCESS);
    REQUIRE(cudnnConvolutionForward(layer.handle, &one, layer.x, x.data(), layer.w, w.data(), layer.convolution,
                                    CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, workspace.data(), 4096, &zero, layer.y,
                                    y.data()) == CUDNN_STATUS_SUCCESS);
    return y.values()[0];
  };
  CHECK(product(CUDNN_FMA_MATH) == fine);
  CHECK(product(CUDNN_DEFAULT_MATH) == coarse);
  CHECK(product(CUDNN_TENSOR_OP_MATH) == coarse);
  CHECK(product(CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION) == coarse);
}

// ---- what is refused

// CUDNN_STATUS_BAD_PARAM: "xDesc and wDesc have a non-matching number of input feature maps per image (or group in case
// of Grouped Convolutions)", "yDesc or wDesc indicate an output channel count that isn't a multiple of group count (if
// group count has been set in convDesc).", "xDesc, wDesc and yDesc have a non-matching data type", "For some spatial
// dimension, wDesc has a spatial size that is larger than the input spatial size (including zero-padding size)"
// (cudnnConvolutionForward())
TEST_CASE("stand-in of cuDNN: descriptors that do not match") {
  const Layer layer;
  const Case e{2, 4, 5, 6, 6, 3, 2, 1, 0, 1, 1, 1, 1, 2};
  const DeviceArray<float> x(static_cast<std::size_t>(e.x_size()), 1.0f);
  const DeviceArray<float> w(static_cast<std::size_t>(e.w_size()), 1.0f);
  const DeviceArray<float> y(static_cast<std::size_t>(e.y_size()), 1.0f);
  const auto run = [&](const float* from = nullptr, const float* alpha = &one) {
    return cudnnConvolutionForward(layer.handle, alpha, layer.x, from != nullptr ? from : x.data(), layer.w, w.data(),
                                   layer.convolution, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, nullptr, 0, &zero,
                                   layer.y, y.data());
  };
  const auto filter = [&](cudnnDataType_t type, int k, int c, int r) {
    cudnnSetFilter4dDescriptor(layer.w, type, CUDNN_TENSOR_NHWC, k, c, r, 2);
  };
  const auto output = [&](int n, int k, int p) {
    cudnnSetTensor4dDescriptor(layer.y, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, n, k, p, e.q());
  };
  describe(layer, e);
  CHECK(run() == CUDNN_STATUS_SUCCESS);
  filter(CUDNN_DATA_FLOAT, 6, 4, 3);
  CHECK(run() == CUDNN_STATUS_BAD_PARAM);
  filter(CUDNN_DATA_HALF, 6, 2, 3);
  CHECK(run() == CUDNN_STATUS_BAD_PARAM);
  filter(CUDNN_DATA_FLOAT, 6, 2, 8);
  CHECK(run() == CUDNN_STATUS_BAD_PARAM);
  char text[100] = "";
  cudnnGetLastErrorString(text, sizeof text);
  CHECK(text == std::string("a filter larger than the input with its padding"));
  filter(CUDNN_DATA_FLOAT, 7, 2, 3);
  output(2, 7, e.p());
  CHECK(run() == CUDNN_STATUS_BAD_PARAM);
  filter(CUDNN_DATA_FLOAT, 6, 2, 3);
  output(1, 6, e.p());
  CHECK(run() == CUDNN_STATUS_BAD_PARAM);
  // CUDNN_STATUS_NOT_SUPPORTED: "yDesc's spatial sizes do not match with the expected size as determined by
  // cudnnGetConvolutionNdForwardOutputDim()"
  output(2, 6, e.p() - 1);
  CHECK(run() == CUDNN_STATUS_NOT_SUPPORTED);
  output(2, 6, e.p());
  // "xDesc or yDesc have negative tensor striding"
  REQUIRE(cudnnSetTensor4dDescriptorEx(layer.x, CUDNN_DATA_FLOAT, 2, 4, 5, 6, -120, 1, 24, 4) == CUDNN_STATUS_SUCCESS);
  CHECK(run() == CUDNN_STATUS_NOT_SUPPORTED);
  // A filter in NHWC wants an input that is "NHWC HWC-packed".
  REQUIRE(cudnnSetTensor4dDescriptor(layer.x, CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT, 2, 4, 5, 6) == CUDNN_STATUS_SUCCESS);
  CHECK(run() == CUDNN_STATUS_NOT_SUPPORTED);
  describe(layer, e);
  CHECK(run(x.data(), nullptr) == CUDNN_STATUS_BAD_PARAM);
  CHECK(cudnnConvolutionForward(nullptr, &one, layer.x, x.data(), layer.w, w.data(), layer.convolution,
                                CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, nullptr, 0, &zero, layer.y,
                                y.data()) == CUDNN_STATUS_BAD_PARAM);
}

TEST_CASE("stand-in of cuDNN: what is undefined is an error") {
  const Layer layer;
  const Case& e = cases[0];
  describe(layer, e);
  const DeviceArray<float> x(static_cast<std::size_t>(e.x_size()), 1.0f);
  const DeviceArray<float> w(static_cast<std::size_t>(e.w_size()), 1.0f);
  const DeviceArray<float> y(static_cast<std::size_t>(e.y_size()), 1.0f), scalar(1, 1.0f), workspace(200);
  const std::vector<float> host(x.values());
  const auto run = [&](const float* alpha, const float* x_data, const float* w_data, float* work, float* y_data) {
    return error_text([&] {
      cudnnConvolutionForward(layer.handle, alpha, layer.x, x_data, layer.w, w_data, layer.convolution,
                              CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, work, 800, &zero, layer.y, y_data);
    });
  };
  const std::string call = "simt: cudnnConvolutionForward: ";
  CHECK(run(&one, x.data(), w.data(), workspace.data(), y.data()) == "no error");
  CHECK(run(scalar.data(), x.data(), w.data(), workspace.data(), y.data()) ==
        call + "alpha is memory of the device, expected of the host");
  CHECK(run(&one, host.data(), w.data(), workspace.data(), y.data()) == call + "x is not memory of the device");
  CHECK(run(&one, w.data(), x.data(), workspace.data(), y.data()) ==
        call + "x takes bytes 0 to 719 of an array that has 288");
  CHECK(run(&one, x.data(), w.data(), workspace.data(), y.data() + 1).find(call + "y takes bytes 4 to") == 0);
  CHECK(run(&one, x.data(), w.data(), workspace.data() + 1, y.data()) ==
        call + "the workspace takes bytes 4 to 803 of an array that has 800");
  CHECK(run(&one, x.data(), w.data(), y.data(), y.data()) == call + "the workspace overlaps y");

  cudnnSetStream(layer.handle, nullptr);
  CHECK(run(&one, x.data(), w.data(), workspace.data(), y.data()) ==
        call + "on another stream than the kernels: tell the library of main_stream()");

  cudnnTensorDescriptor_t gone = nullptr;
  const std::size_t live = live_cudnn_objects();
  REQUIRE(cudnnCreateTensorDescriptor(&gone) == CUDNN_STATUS_SUCCESS);
  CHECK(live_cudnn_objects() == live + 1);
  REQUIRE(cudnnDestroyTensorDescriptor(gone) == CUDNN_STATUS_SUCCESS);
  CHECK(live_cudnn_objects() == live);
  CHECK(error_text([&] { cudnnSetTensor4dDescriptor(gone, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 1, 1, 1, 1); }) ==
        "simt: a cudnnTensorDescriptor_t that was destroyed or never created");
}

}  // namespace
}  // namespace melgrad::simt
