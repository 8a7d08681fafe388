#include "kernels/cuda/cufft_transform.h"

#include <cufft.h>

#include <map>
#include <mutex>
#include <utility>

#include "kernels/cuda/library.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

MELGRAD_LIBRARY(cufft)

// cuFFT has no texts for its results.
void check(cufftResult result, const char* call) {
  require(result == CUFFT_SUCCESS, "{}: result {}; see cufftResult", call, static_cast<int>(result));
}

struct Plan {
  cufftHandle handle = CUFFT_PLAN_NULL;
  size_t work_bytes = 0;
};

Plan make_plan(int64_t n, int64_t batch) {
  const char* call = "cufftMakePlanMany";
  int size = as_int(call, n);
  const int transforms = as_int(call, batch);
  Plan plan;
  check(MELGRAD_CALL(cufft, cufftCreate)(&plan.handle), "cufftCreate");
  // Or every plan that is kept would hold a work area of its own.
  cufftResult result = MELGRAD_CALL(cufft, cufftSetAutoAllocation)(plan.handle, 0);
  if (result == CUFFT_SUCCESS)
    result = MELGRAD_CALL(cufft, cufftMakePlanMany)(plan.handle, 1, &size, nullptr, 1, size, nullptr, 1, size / 2 + 1,
                                                    CUFFT_R2C, transforms, &plan.work_bytes);
  if (result == CUFFT_SUCCESS) result = MELGRAD_CALL(cufft, cufftSetStream)(plan.handle, main_stream());
  if (result != CUFFT_SUCCESS) MELGRAD_CALL(cufft, cufftDestroy)(plan.handle);
  check(result, call);
  return plan;
}

// Making a plan takes longer than a transform, so plans are kept, for the life of the program.
Plan plan_for(int64_t n, int64_t batch) {
  static std::mutex mutex;
  static auto& plans = *new std::map<std::pair<int64_t, int64_t>, Plan>;
  const std::lock_guard lock(mutex);
  const auto found = plans.find({n, batch});
  return found != plans.end() ? found->second : plans[{n, batch}] = make_plan(n, batch);
}

}  // namespace

void cufft_real_forward(Stream& stream, int64_t n, int64_t batch, float* x, float* y) {
  const Plan plan = plan_for(n, batch);
  const Buffer work_area = stream.workspace(static_cast<int64_t>(plan.work_bytes));
  check(MELGRAD_CALL(cufft, cufftSetWorkArea)(plan.handle, work_area.data()), "cufftSetWorkArea");
  check(MELGRAD_CALL(cufft, cufftExecR2C)(plan.handle, x, reinterpret_cast<cufftComplex*>(y)), "cufftExecR2C");
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
