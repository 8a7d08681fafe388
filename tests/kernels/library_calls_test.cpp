// Our calls of the libraries, beside what the operations' own tests ask of them (conv2d_test.cpp, matmul_test.cpp,
// signal_bands_test.cpp), against the stand-ins.
#include <doctest/doctest.h>

#include "kernels/cuda/cudnn_convolution.h"
#include "kernels/simt/libraries/live_objects.h"
#include "tests/kernels/device_array.h"

namespace melgrad::simt {
namespace {

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

}  // namespace
}  // namespace melgrad::simt
