// Our calls of the libraries, beside what the operations' own tests ask of them (conv2d_test.cpp, matmul_test.cpp,
// signal_bands_test.cpp), against the stand-ins.
#include <doctest/doctest.h>

#include "kernels/cuda/cudnn_convolution.h"
#include "kernels/cuda/cufft_transform.h"
#include "kernels/simt/libraries/live_objects.h"
#include "tests/kernels/device_array.h"

namespace melgrad::simt {
namespace {

// "2 Giga-elements" (cudnnSetTensor4dDescriptor()) are 2^31 - 1, a prime.
TEST_CASE("cuDNN: the largest x, weight and y that are supported") {
  constexpr int64_t most = 0x7fffffff, half = 1 << 16, rest = 1 << 15;
  const auto supports = [](int64_t n, int64_t h, int64_t c, int64_t o, int64_t stride = 1) {
    return cudnn_supports({.n = n, .h = h, .w = 1, .c = c, .o = o, .rows = {1, stride}, .columns = {1}});
  };
  CHECK(supports(1, most, 1, 1, most));
  CHECK_FALSE(supports(1, most + 1, 1, 1, most + 1));  // y is one element
  CHECK(supports(0, 1, 1, most));
  CHECK_FALSE(supports(0, 1, half, rest));  // x and y are empty
  CHECK(supports(most, 1, 1, 1));
  CHECK_FALSE(supports(half, 1, 1, rest));  // x and the weight are small
}

TEST_CASE("cuDNN: a tensor past its limits is not supported; asked for all the same, it leaves no descriptor behind") {
  const Conv2dProblem problem{
      .n = 1 << 12, .h = 1 << 12, .w = 1 << 7, .c = 1, .o = 1, .rows = {}, .columns = {}};  // 2^31 elements
  CHECK(!cudnn_supports(problem));
  Conv2dProblem smaller = problem;
  --smaller.n;
  CHECK(cudnn_supports(smaller));
  Stream& stream = default_stream(Device::simt);
  const auto run = [&] { cudnn_forward(stream, problem, CudnnMath::f32, nullptr, nullptr, nullptr); };
  CHECK(error_text(run) ==
        "cudnnSetTensor4dDescriptor: CUDNN_STATUS_NOT_SUPPORTED: a tensor of more than 2 Giga-elements");
  const std::size_t live = live_cudnn_objects();
  error_text(run);
  CHECK(live_cudnn_objects() == live);
}

TEST_CASE("cuFFT: a plan that cannot be made is an error, and leaves none behind") {
  const std::size_t live = live_cufft_objects();
  const auto run = [] { cufft_real_forward(default_stream(Device::simt), 0, 1, nullptr, nullptr); };
  CHECK(error_text(run) == "cufftMakePlanMany: result 8; see cufftResult");  // CUFFT_INVALID_SIZE
  CHECK(live_cufft_objects() == live);
}

}  // namespace
}  // namespace melgrad::simt
