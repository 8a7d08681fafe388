#include "kernels/cuda/cufft_transform.h"

#include <cufft.h>

#include <map>
#include <mutex>
#include <utility>

#include "kernels/cuda/library.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

MELGRAD_LIBRARY(cufft, "cuFFT", "libcufft.so.12")

// cuFFT has no texts for its results.
void check(cufftResult result, const char* call) {
  require(result == CUFFT_SUCCESS, "{}: result {}; see cufftResult", call, static_cast<int>(result));
}

// Making a plan takes longer than a transform, so plans are kept, for the life of the program.
cufftHandle plan_for(int64_t n, int64_t batch) {
  static std::mutex mutex;
  static auto& plans = *new std::map<std::pair<int64_t, int64_t>, cufftHandle>;
  const std::lock_guard lock(mutex);
  const auto found = plans.find({n, batch});
  if (found != plans.end()) return found->second;
  const char* call = "cufftPlanMany";
  cufftHandle plan{};
  int size = as_int(call, n);
  check(MELGRAD_CALL(cufft, cufftPlanMany)(&plan, 1, &size, nullptr, 1, size, nullptr, 1, size / 2 + 1, CUFFT_R2C,
                                           as_int(call, batch)),
        call);
  check(MELGRAD_CALL(cufft, cufftSetStream)(plan, main_stream()), "cufftSetStream");
  plans[{n, batch}] = plan;
  return plan;
}

}  // namespace

void cufft_real_forward(int64_t n, int64_t batch, float* x, float* y) {
  check(MELGRAD_CALL(cufft, cufftExecR2C)(plan_for(n, batch), x, reinterpret_cast<cufftComplex*>(y)), "cufftExecR2C");
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
