#include "kernels/simt/libraries/cufft.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>

#include "kernels/error.h"
#include "kernels/simt/libraries/fourier.h"
#include "kernels/simt/libraries/live_objects.h"
#include "kernels/simt/libraries/operands.h"

namespace melgrad::simt {
namespace {

using Complex = std::complex<double>;

// Where the elements of one side of a plan lie. Everything is counted in elements: real or complex numbers.
struct Layout {
  std::array<int64_t, 3> sizes{1, 1, 1};  // outermost first
  std::array<int64_t, 3> embed{1, 1, 1};
  int64_t stride = 1, distance = 0;
  bool complex = true;

  int64_t elements() const { return sizes[0] * sizes[1] * sizes[2]; }
  int64_t bytes() const { return complex ? 8 : 4; }
  // The i-th element of a transform, in row-major order.
  int64_t index(int64_t batch, int64_t i) const {
    const int64_t z = i % sizes[2], y = i / sizes[2] % sizes[1], x = i / sizes[2] / sizes[1];
    return batch * distance + ((x * embed[1] + y) * embed[2] + z) * stride;
  }
  int64_t end(int64_t batches) const { return index(batches - 1, elements() - 1) + 1; }
};

struct Plan {
  bool made = false;
  bool basic = false;  // made with neither inembed nor onembed
  int rank = 0;
  cufftType type = CUFFT_C2C;
  std::array<int64_t, 3> sizes{1, 1, 1};  // of the transform, with ones in front
  Layout input, output;
  int64_t batches = 0;
  bool allocates = true;
  void* work_area = nullptr;
  size_t work_bytes = 0;
  cudaStream_t stream = nullptr;
};

struct Plans {
  std::mutex mutex;
  std::map<cufftHandle, Plan> by_handle;
  cufftHandle next = 1;
};

Plans& plans() {
  static Plans& all = *new Plans;
  return all;
}

// Null where the handle is none.
Plan* find(cufftHandle handle) {
  const std::lock_guard lock(plans().mutex);
  const auto found = plans().by_handle.find(handle);
  return found == plans().by_handle.end() ? nullptr : &found->second;
}

// ---- making a plan

struct Request {
  int rank;
  const int* n;
  const int* inembed;
  int istride, idist;
  const int* onembed;
  int ostride, odist;
  cufftType type;
  int batch;
};

// The sizes and embedding of one side, aligned to the right: a transform of rank 1 is one of 1 × 1 × n.
Layout layout_of(const Request& request, const int* embed, int stride, int distance, bool complex) {
  Layout layout;
  layout.complex = complex;
  const bool halved = complex && request.type != CUFFT_C2C;
  for (int i = 0; i < request.rank; ++i) {
    const auto axis = static_cast<std::size_t>(3 - request.rank + i);
    layout.sizes[axis] = halved && i + 1 == request.rank ? request.n[i] / 2 + 1 : request.n[i];
    layout.embed[axis] = embed != nullptr ? embed[i] : layout.sizes[axis];
  }
  layout.stride = embed != nullptr ? stride : 1;
  layout.distance = embed != nullptr ? distance : layout.elements();
  return layout;
}

// Whether each row fits its embedding. The outermost axis has none: the distance tells.
bool fits(const Layout& layout, int rank) {
  for (std::size_t axis = static_cast<std::size_t>(4 - rank); axis < 3; ++axis)
    if (layout.sizes[axis] > layout.embed[axis]) return false;
  return layout.stride >= 1 && layout.distance >= 0;
}

cufftResult make(const Request& request, Plan& plan) {
  if (request.type != CUFFT_R2C && request.type != CUFFT_C2R && request.type != CUFFT_C2C) return CUFFT_INVALID_TYPE;
  if (request.rank < 1 || request.rank > 3 || request.n == nullptr || request.batch < 1) return CUFFT_INVALID_VALUE;
  if (std::any_of(request.n, request.n + request.rank, [](int n) { return n < 1; })) return CUFFT_INVALID_SIZE;
  require(
      (request.inembed == nullptr) == (request.onembed == nullptr),
      "simt: cufftMakePlanMany: one of inembed and onembed is NULL; the documentation tells what happens if both are");
  const Layout input = layout_of(request, request.inembed, request.istride, request.idist, request.type != CUFFT_R2C);
  const Layout output = layout_of(request, request.onembed, request.ostride, request.odist, request.type != CUFFT_C2R);
  if (!fits(input, request.rank) || !fits(output, request.rank)) return CUFFT_INVALID_VALUE;
  plan.made = true;
  plan.basic = request.inembed == nullptr;
  plan.rank = request.rank;
  plan.type = request.type;
  plan.sizes = request.type == CUFFT_R2C ? input.sizes : output.sizes;
  plan.input = input;
  plan.output = output;
  plan.batches = request.batch;
  // Any size is conservative; this one is not zero, so that a forgotten area shows.
  plan.work_bytes = static_cast<size_t>(plan.batches * plan.sizes[0] * plan.sizes[1] * plan.sizes[2] * 8);
  return CUFFT_SUCCESS;
}

// ---- executing it

// The real side's rows are padded to hold the complex side's, in the basic layout in place.
Layout padded(Layout real, const Layout& complex) {
  real.embed[2] = 2 * complex.sizes[2];
  real.distance = 2 * complex.distance;
  return real;
}

struct Execution {
  const char* call;
  Plan& plan;
  Layout input, output;
  float* from;
  float* to;

  bool in_place() const { return from == to; }

  void check_memory() const {
    Operands operands(call, plan.stream);
    operands.aligned("idata", from, input.bytes());
    operands.aligned("odata", to, output.bytes());
    const int64_t read = input.end(plan.batches) * input.bytes(), written = output.end(plan.batches) * output.bytes();
    if (in_place()) {
      require(
          plan.batches == 1 || input.distance * input.bytes() == output.distance * output.bytes(),
          "simt: {}: in place, but the transforms of the batch are {} bytes apart in the input and {} in the output",
          call, input.distance * input.bytes(), output.distance * output.bytes());
      operands.write("idata and odata", to, 0, std::max(read, written));
    } else {
      // An input that is overwritten is not to overlap anything either.
      if (plan.type == CUFFT_C2R)
        operands.write("idata", from, 0, read);
      else
        operands.read("idata", from, 0, read);
      operands.write("odata", to, 0, written);
    }
    if (plan.allocates) return;
    require(plan.work_area != nullptr,
            "simt: {}: no work area: cufftSetAutoAllocation(plan, 0) and no cufftSetWorkArea", call);
    operands.scratch("the work area", plan.work_area, static_cast<int64_t>(plan.work_bytes));
  }

  Complex load(int64_t batch, int64_t i) const {
    const int64_t at = input.index(batch, i);
    return input.complex ? Complex(from[2 * at], from[2 * at + 1]) : Complex(from[at]);
  }

  // What the half that is stored of a real signal's spectrum says of the other half: X[-k] is conj(X[k]).
  Complex load_symmetric(int64_t batch, int64_t x, int64_t y, int64_t z) const {
    const auto& n = plan.sizes;
    const bool stored = z < input.sizes[2];
    if (!stored) x = (n[0] - x) % n[0], y = (n[1] - y) % n[1], z = n[2] - z;
    const Complex value = load(batch, (x * n[1] + y) * input.sizes[2] + z);
    return stored ? value : std::conj(value);
  }

  std::vector<Complex> gather(int64_t batch) const {
    const auto& n = plan.sizes;
    std::vector<Complex> line;
    for (int64_t x = 0; x < n[0]; ++x)
      for (int64_t y = 0; y < n[1]; ++y)
        for (int64_t z = 0; z < n[2]; ++z)
          line.push_back(plan.type == CUFFT_C2R ? load_symmetric(batch, x, y, z)
                                                : load(batch, (x * n[1] + y) * n[2] + z));
    return line;
  }

  // Writes what the output has of the transform; `taken` finds elements that are written twice.
  void scatter(int64_t batch, const std::vector<Complex>& line, std::vector<bool>& taken) const {
    for (int64_t i = 0; i < output.elements(); ++i) {
      const int64_t at = output.index(batch, i);
      require(!taken[static_cast<std::size_t>(at)], "simt: {}: element {} of odata is written twice", call, at);
      taken[static_cast<std::size_t>(at)] = true;
      const int64_t row = i / output.sizes[2], column = i % output.sizes[2];
      const Complex value = line[static_cast<std::size_t>(row * plan.sizes[2] + column)];
      if (output.complex) {
        to[2 * at] = static_cast<float>(value.real());
        to[2 * at + 1] = static_cast<float>(value.imag());
      } else {
        to[at] = static_cast<float>(value.real());
      }
    }
  }

  void run(int direction) const {
    check_memory();
    // All is read before anything is written: what a transform in place may not count on, an array too short for it
    // apart, is the library's order.
    std::vector<std::vector<Complex>> lines;
    for (int64_t batch = 0; batch < plan.batches; ++batch) lines.push_back(gather(batch));
    if (plan.type == CUFFT_C2R && !in_place()) spoil_input();
    std::vector<bool> taken(static_cast<std::size_t>(output.end(plan.batches)));
    for (int64_t batch = 0; batch < plan.batches; ++batch) {
      std::vector<Complex>& line = lines[static_cast<std::size_t>(batch)];
      fourier_transform(line, plan.sizes, direction);
      scatter(batch, line, taken);
    }
  }

  // Documentation, "Data Layout": "Out-of-place complex-to-real FFT will always overwrite input buffer."
  void spoil_input() const {
    for (int64_t batch = 0; batch < plan.batches; ++batch)
      for (int64_t i = 0; i < input.elements(); ++i)
        for (int64_t part = 0; part < 2; ++part)
          from[2 * input.index(batch, i) + part] = std::numeric_limits<float>::quiet_NaN();
  }
};

cufftResult execute(const char* call, cufftHandle handle, cufftType type, void* from, void* to, int direction) {
  Plan* plan = find(handle);
  if (plan == nullptr || !plan->made) return CUFFT_INVALID_PLAN;
  if (from == nullptr || to == nullptr || (direction != CUFFT_FORWARD && direction != CUFFT_INVERSE))
    return CUFFT_INVALID_VALUE;
  require(plan->type == type, "simt: {}: the plan was made for another type of transform", call);
  Execution execution{call, *plan, plan->input, plan->output, static_cast<float*>(from), static_cast<float*>(to)};
  if (plan->basic && execution.in_place() && type == CUFFT_R2C) execution.input = padded(plan->input, plan->output);
  if (plan->basic && execution.in_place() && type == CUFFT_C2R) execution.output = padded(plan->output, plan->input);
  execution.run(direction);
  return CUFFT_SUCCESS;
}

}  // namespace

std::size_t live_cufft_objects() {
  const std::lock_guard lock(plans().mutex);
  return plans().by_handle.size();
}

// ---- the library

cufftResult cufftCreate(cufftHandle* handle) {
  if (handle == nullptr) return CUFFT_INVALID_VALUE;
  const std::lock_guard lock(plans().mutex);
  *handle = plans().next++;
  plans().by_handle[*handle];
  return CUFFT_SUCCESS;
}

cufftResult cufftDestroy(cufftHandle plan) {
  if (plan == CUFFT_PLAN_NULL) return CUFFT_SUCCESS;
  const std::lock_guard lock(plans().mutex);
  return plans().by_handle.erase(plan) == 1 ? CUFFT_SUCCESS : CUFFT_INVALID_PLAN;
}

cufftResult cufftGetVersion(int* version) {
  if (version == nullptr) return CUFFT_INVALID_VALUE;
  *version = 12000;
  return CUFFT_SUCCESS;
}

cufftResult cufftMakePlanMany(cufftHandle plan, int rank, int* n, int* inembed, int istride, int idist, int* onembed,
                              int ostride, int odist, cufftType type, int batch, size_t* workSize) {
  Plan* found = find(plan);
  if (found == nullptr || found->made) return CUFFT_INVALID_PLAN;
  if (workSize == nullptr) return CUFFT_INVALID_VALUE;
  const cufftResult result = make({rank, n, inembed, istride, idist, onembed, ostride, odist, type, batch}, *found);
  if (result == CUFFT_SUCCESS) *workSize = found->work_bytes;
  return result;
}

cufftResult cufftMakePlan1d(cufftHandle plan, int nx, cufftType type, int batch, size_t* workSize) {
  return cufftMakePlanMany(plan, 1, &nx, nullptr, 1, 0, nullptr, 1, 0, type, batch, workSize);
}

cufftResult cufftPlanMany(cufftHandle* plan, int rank, int* n, int* inembed, int istride, int idist, int* onembed,
                          int ostride, int odist, cufftType type, int batch) {
  size_t bytes = 0;
  cufftHandle handle = CUFFT_PLAN_NULL;
  if (const cufftResult result = plan == nullptr ? CUFFT_INVALID_VALUE : cufftCreate(&handle); result != CUFFT_SUCCESS)
    return result;
  const cufftResult result =
      cufftMakePlanMany(handle, rank, n, inembed, istride, idist, onembed, ostride, odist, type, batch, &bytes);
  if (result == CUFFT_SUCCESS)
    *plan = handle;
  else
    cufftDestroy(handle);
  return result;
}

cufftResult cufftPlan1d(cufftHandle* plan, int nx, cufftType type, int batch) {
  return cufftPlanMany(plan, 1, &nx, nullptr, 1, 0, nullptr, 1, 0, type, batch);
}

cufftResult cufftEstimateMany(int rank, int* n, int* inembed, int istride, int idist, int* onembed, int ostride,
                              int odist, cufftType type, int batch, size_t* workSize) {
  if (workSize == nullptr) return CUFFT_INVALID_VALUE;
  Plan plan;
  const cufftResult result = make({rank, n, inembed, istride, idist, onembed, ostride, odist, type, batch}, plan);
  if (result == CUFFT_SUCCESS) *workSize = plan.work_bytes;
  return result;
}

cufftResult cufftSetStream(cufftHandle plan, cudaStream_t stream) {
  Plan* found = find(plan);
  if (found == nullptr) return CUFFT_INVALID_PLAN;
  found->stream = stream;
  return CUFFT_SUCCESS;
}

cufftResult cufftGetSize(cufftHandle handle, size_t* workSize) {
  const Plan* found = find(handle);
  if (found == nullptr || !found->made) return CUFFT_INVALID_PLAN;
  if (workSize == nullptr) return CUFFT_INVALID_VALUE;
  *workSize = found->work_bytes;
  return CUFFT_SUCCESS;
}

cufftResult cufftSetAutoAllocation(cufftHandle plan, int autoAllocate) {
  Plan* found = find(plan);
  if (found == nullptr) return CUFFT_INVALID_PLAN;
  found->allocates = autoAllocate != 0;
  return CUFFT_SUCCESS;
}

cufftResult cufftSetWorkArea(cufftHandle plan, void* workArea) {
  Plan* found = find(plan);
  if (found == nullptr || !found->made) return CUFFT_INVALID_PLAN;
  found->work_area = workArea;
  found->allocates = false;  // the documentation: an area of the library's own is freed
  return CUFFT_SUCCESS;
}

cufftResult cufftExecC2C(cufftHandle plan, cufftComplex* idata, cufftComplex* odata, int direction) {
  return execute("cufftExecC2C", plan, CUFFT_C2C, idata, odata, direction);
}

cufftResult cufftExecR2C(cufftHandle plan, cufftReal* idata, cufftComplex* odata) {
  return execute("cufftExecR2C", plan, CUFFT_R2C, idata, odata, CUFFT_FORWARD);
}

cufftResult cufftExecC2R(cufftHandle plan, cufftComplex* idata, cufftReal* odata) {
  return execute("cufftExecC2R", plan, CUFFT_C2R, idata, odata, CUFFT_INVERSE);
}

}  // namespace melgrad::simt
