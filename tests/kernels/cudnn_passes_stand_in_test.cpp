// The stand-in of cuDNN, what its functions compute: against the cuDNN API documentation and plain loops in f64. Sentences
// in quotation marks are the documentation's own.
#include <doctest/doctest.h>

#include <cmath>

#include "kernels/simt/libraries/live_objects.h"
#include "tests/kernels/cudnn_case.h"
#include "tests/kernels/device_array.h"

namespace melgrad::simt {
namespace {

// Calls body(x, w, y) with the places of each product of the definition: y += x · w.
//   y[n, k, p, q] = Σ x[n, c, p · u + r · dilation - pad, …] · w[k, c, r, s], and w[k, c, R - 1 - r, …] for a
// CUDNN_CONVOLUTION; "In this mode, a convolution operation will be done when applying the filter to the images", and
// CUDNN_CROSS_CORRELATION "a cross-correlation operation". (cudnnConvolutionMode_t)
template <class Body>
void each_product(const ConvolutionCase& e, const Body& body) {
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
  const CudnnLayer layer;
  const float alpha = 0.5f, beta = -3.0f;
  for (const ConvolutionCase& e : cudnn_cases) {
    CAPTURE(&e - cudnn_cases);
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
  const CudnnLayer layer;
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

// ---- what is refused

// CUDNN_STATUS_BAD_PARAM: "xDesc and wDesc have a non-matching number of input feature maps per image (or group in case
// of Grouped Convolutions)", "yDesc or wDesc indicate an output channel count that isn't a multiple of group count (if
// group count has been set in convDesc).", "xDesc, wDesc and yDesc have a non-matching data type", "For some spatial
// dimension, wDesc has a spatial size that is larger than the input spatial size (including zero-padding size)"
// (cudnnConvolutionForward())
TEST_CASE("stand-in of cuDNN: descriptors that do not match") {
  const CudnnLayer layer;
  const ConvolutionCase e{2, 4, 5, 6, 6, 3, 2, 1, 0, 1, 1, 1, 1, 2};
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
  // In our words: a size of y other than what cudnnGetConvolutionNdForwardOutputDim() says is CUDNN_STATUS_NOT_SUPPORTED.
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
  const CudnnLayer layer;
  const ConvolutionCase& e = cudnn_cases[0];
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
