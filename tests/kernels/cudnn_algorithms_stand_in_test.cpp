// The stand-in of cuDNN, its algorithms and their arithmetic: against the cuDNN API documentation. Sentences in quotation
// marks are the documentation's own.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/kernels/cudnn_case.h"
#include "tests/kernels/device_array.h"

namespace melgrad::simt {
namespace {

// "This function will return all algorithms (including CUDNN_TENSOR_OP_MATH and CUDNN_DEFAULT_MATH versions of algorithms
// where CUDNN_TENSOR_OP_MATH may be available) sorted by expected (based on internal heuristic) relative performance with
// fastest being index 0 of perfResults." (cudnnGetConvolutionForwardAlgorithm_v7()) "status: […] this will be the
// return status of cudnnConvolutionForward()", "memory: The workspace size (in bytes)." (cudnnConvolutionFwdAlgoPerf_t)
TEST_CASE("stand-in of cuDNN: what the query for algorithms promises, the convolution keeps") {
  const CudnnLayer layer;
  describe(layer, cudnn_cases[0]);
  const ConvolutionCase& e = cudnn_cases[0];
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
  const CudnnLayer layer;
  for (const int which : {0, 4}) {  // NHWC, NCHW
    const ConvolutionCase& e = cudnn_cases[which];
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

// "CUDNN_DEFAULT_MATH: Tensor Core operations are not used on pre-NVIDIA A100 GPU devices. On A100 GPU architecture
// devices, Tensor Core TF32 operation is permitted." "CUDNN_FMA_MATH: Restricted to only kernels that use FMA
// instructions."
// (cudnnMathType_t)
TEST_CASE("stand-in of cuDNN: only CUDNN_FMA_MATH is f32") {
  const CudnnLayer layer;
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

}  // namespace
}  // namespace melgrad::simt
