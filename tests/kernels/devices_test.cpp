#include <doctest/doctest.h>

#include <cstdlib>

#include "kernels/device.h"
#include "kernels/kernel_name.h"

namespace melgrad {
namespace {

TEST_CASE("devices: each is available or says why not") {
  const std::vector<DeviceStatus> all = devices();
  REQUIRE(all.size() == 3);
  for (const DeviceStatus& status : all) {
    CHECK(status.available == status.reason.empty());
    CHECK(status.reason.find('\n') == std::string::npos);
    if (!status.available) MESSAGE("skipped on " << name_of(status.device) << ": " << status.reason);
  }
  CHECK(all[0].available);
  CHECK(all[1].available);
  CHECK_MESSAGE(all[2].reason.find("cannot be loaded") == std::string::npos,
                all[2].reason);  // nor on a machine without
  const char* require_cuda = std::getenv("MELGRAD_REQUIRE_CUDA");
  if (require_cuda != nullptr && std::string(require_cuda) == "1") CHECK_MESSAGE(all[2].available, all[2].reason);
}

TEST_CASE("kernel names as compilers spell them") {
  CHECK(kernel_name("void melgrad::simt::launch(dim3) [with auto kernel = melgrad::simt::{anonymous}::scale_kernel; "
                    "Arguments = {int}]") == "scale_kernel");
  CHECK(kernel_name("void launch() [with auto kernel = k::relu_kernel<m::F::relu, true>; A = {}]") ==
        "relu_kernel<m::F::relu, true>");
  CHECK(kernel_name("void launch() [kernel = &a::b_kernel, Arguments = <int>]") == "b_kernel");
  CHECK(kernel_name("launch") == "launch");
}

}  // namespace
}  // namespace melgrad
