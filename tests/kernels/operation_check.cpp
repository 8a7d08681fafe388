#include "tests/kernels/operation_check.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string_view>

#include "kernels/simt/recording.h"
#include "kernels/simt/schedule.h"
#include "tests/kernels/coverage.h"
#include "tests/kernels/fenced_array.h"

namespace melgrad::test {

namespace {

bool races_only = false;

using Values = std::vector<std::vector<double>>;

// Where an operation runs, on what.
struct Run {
  Device device;
  DType dtype;
  bool exact;
  Fence fence = Fence::behind;

  std::string to_string() const {
    std::string text = fmt::format(" on {} {}", name_of(device), name_of(dtype));
    if (device == Device::simt) text += fmt::format(" ({})", name_of(simt::current_schedule().kind));
    return exact ? text + " (integers)" : text;
  }
};

// `index` and u8 arrays keep their type; everything else takes the run's.
FencedArrays make_inputs(const OperationCase& operation, const Values& values, const Run& run) {
  FencedArrays inputs;
  for (std::size_t i = 0; i < operation.inputs.size(); ++i) {
    const InputSpec& spec = operation.inputs[i];
    inputs.add(spec.shape, spec.is_index ? DType::i32 : run.dtype, run.device, run.fence);
    inputs.arrays.back().set(values[i]);
  }
  return inputs;
}

FencedArrays make_outputs(const OperationCase& operation, const Run& run) {
  FencedArrays outputs;
  for (const OutputSpec& spec : operation.outputs)
    outputs.add(spec.shape, spec.dtype == DType::f32 ? run.dtype : spec.dtype, run.device, run.fence);
  return outputs;
}

Values evaluate(const std::function<void(Inputs, Outputs)>& function, const OperationCase& operation,
                const Values& values) {
  const Run run{Device::cpu, DType::f64, false};
  FencedArrays inputs = make_inputs(operation, values, run);
  FencedArrays outputs = make_outputs(operation, run);
  function(inputs.const_views, outputs.views);
  Values results;
  for (FencedArray& array : outputs.arrays) results.push_back(array.values());
  return results;
}

Values draw_inputs(const OperationCase& operation, bool integers) {
  Values values;
  for (std::size_t i = 0; i < operation.inputs.size(); ++i) {
    Generator random(1, Draw::test, static_cast<uint32_t>(i), integers);
    std::vector<double> array(static_cast<std::size_t>(operation.inputs[i].shape.numel()));
    // Through float: f32 and f64 runs then see the same numbers.
    for (double& value : array) value = static_cast<float>(operation.inputs[i].fill(random, integers));
    values.push_back(std::move(array));
  }
  return values;
}

Values absolute(Values values) {
  for (auto& array : values)
    for (double& value : array) value = std::abs(value);
  return values;
}

// Equal to the bit, NaN included.
bool same_bits(const Values& a, const Values& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].size() != b[i].size()) return false;
    if (!a[i].empty() && std::memcmp(a[i].data(), b[i].data(), a[i].size() * sizeof(double)) != 0) return false;
  }
  return a.size() == b.size();
}

void compare(const OperationCase& operation, const Run& run, FencedArrays& outputs, const Values& expected,
             const Values& magnitude) {
  const double epsilon =
      run.dtype == DType::f32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  const double factor = static_cast<double>(std::clamp<int64_t>(operation.reduction_length, 1, 64)) * epsilon;
  for (std::size_t o = 0; o < expected.size(); ++o) {
    CHECK_MESSAGE(outputs.arrays[o].canaries_live(), operation.name << ": output " << o << " written out of bounds");
    const std::vector<double> result = outputs.arrays[o].values();
    for (std::size_t i = 0; i < result.size(); ++i) {
      const double bound = run.exact ? 0.0 : factor * std::abs(magnitude[o][i]) + epsilon * std::abs(expected[o][i]);
      // Written so that a NaN fails.
      if (!(std::abs(result[i] - expected[o][i]) <= bound)) {
        FAIL_CHECK(fmt::format("{}{}: output {}[{}] is {}, expected {} within {}", operation.name, run.to_string(), o,
                               i, result[i], expected[o][i], bound));
        return;
      }
    }
  }
}

// What all runs of a case share: inputs, and what the reference makes of them.
struct Expectation {
  Values inputs, outputs, magnitude;

  Expectation(const OperationCase& operation, bool exact)
      : inputs(draw_inputs(operation, exact)), outputs(evaluate(operation.reference, operation, inputs)) {
    magnitude = exact                 ? outputs
                : operation.magnitude ? evaluate(operation.magnitude, operation, inputs)
                                      : evaluate(operation.reference, operation, absolute(inputs));
  }
};

// Runs the operation once and compares; the outputs' values. `threads` as in Stream.
Values check_run(const OperationCase& operation, const Run& run, const Expectation& expectation,
                 ThreadPool* threads = nullptr) {
  FencedArrays inputs = make_inputs(operation, expectation.inputs, run);
  FencedArrays outputs = make_outputs(operation, run);
  Stream stream(run.device, threads);
  operation.run(stream, inputs.const_views, outputs.views);
  record_run(operation, run.device, run.dtype);
  compare(operation, run, outputs, expectation.outputs, expectation.magnitude);
  for (std::size_t i = 0; i < inputs.arrays.size(); ++i) {
    CHECK_MESSAGE(inputs.arrays[i].values() == expectation.inputs[i],
                  operation.name << ": input " << i << " was changed");
  }
  Values results;
  for (FencedArray& array : outputs.arrays) results.push_back(array.values());
  return results;
}

// The address sanitizer makes a kernel some ten times slower, and looks at its accesses to memory, which are the same
// in any order: one will do.
#if defined(__SANITIZE_ADDRESS__)
constexpr simt::ScheduleKind schedules[] = {simt::ScheduleKind::forward};
#else
constexpr simt::ScheduleKind schedules[] = {simt::ScheduleKind::forward, simt::ScheduleKind::backward,
                                            simt::ScheduleKind::shuffled};
#endif

// Kernels must not depend on the order of their threads: every schedule gives the same bits.
void check_schedules(const OperationCase& operation, bool exact, const Expectation& expectation) {
  using simt::ScheduleKind;
  Values first;
  for (ScheduleKind kind : schedules) {
    const simt::ScheduleScope scope({kind, 1});
    Values results = check_run(operation, {Device::simt, DType::f32, exact}, expectation);
    if (kind == ScheduleKind::forward)
      first = std::move(results);
    else
      CHECK_MESSAGE(same_bits(results, first), operation.name << ": depends on the order of its threads");
  }
}

// Work is cut by its own size, so any number of threads gives the same bits. One of the runs has its fences before.
void check_threads(const OperationCase& operation, bool exact, const Expectation& expectation) {
  static ThreadPool one(1), two(2), three(3);
  const Values first = check_run(operation, {Device::cpu, DType::f32, exact}, expectation, &one);
  for (ThreadPool* pool : {&two, &three}) {
    const Run run{Device::cpu, DType::f32, exact, pool == &two ? Fence::before : Fence::behind};
    CHECK_MESSAGE(same_bits(check_run(operation, run, expectation, pool), first),
                  operation.name << ": depends on the number of threads");
  }
}

void check_races(const OperationCase& operation, const Expectation& expectation) {
  const simt::Recording recording({.races = true});
  try {
    check_run(operation, {Device::simt, DType::f32, false}, expectation);
  } catch (const Error& error) {
    FAIL_CHECK(operation.name << ": " << error.what());
  }
}

void check_device(const OperationCase& operation, Device device, bool exact, const Expectation& expectation) {
  if (device == Device::simt) return check_schedules(operation, exact, expectation);
  if (device == Device::cpu) return check_threads(operation, exact, expectation);
  check_run(operation, {device, DType::f32, exact}, expectation);
}

}  // namespace

bool is_asked_for(Device device) {
  const char* names = std::getenv("MELGRAD_TEST_DEVICES");
  return names == nullptr || std::string_view(names).find(name_of(device)) != std::string_view::npos;
}

void check_races_only() {
  races_only = true;
}
bool checks_races_only() {
  return races_only;
}

void check(const OperationCase& operation) {
  std::vector<Device> on = operation.devices;
  std::erase_if(on, [](Device device) { return !is_asked_for(device); });
  // What runs on simt is a CUDA kernel, so it runs on the GPU too where there is one.
  const std::vector<Device> available = available_devices();
  if (std::count(on.begin(), on.end(), Device::simt) != 0 &&
      std::count(available.begin(), available.end(), Device::cuda) != 0) {
    on.push_back(Device::cuda);
  }
  if (on.empty()) return;
  const Expectation real(operation, false);
  if (races_only) {
    if (std::count(on.begin(), on.end(), Device::simt) != 0) check_races(operation, real);
    return;
  }
  for (Device device : on) {
    check_device(operation, device, false, real);
    if (device == Device::cpu) check_run(operation, {device, DType::f64, false}, real);
  }
  if (!operation.exact_on_integers) return;
  const Expectation integers(operation, true);
  for (Device device : on) check_device(operation, device, true, integers);
}

}  // namespace melgrad::test
