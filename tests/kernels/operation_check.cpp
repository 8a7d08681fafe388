#include "tests/kernels/operation_check.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <string_view>

#include "kernels/memory.h"
#include "kernels/simt/recording.h"
#include "kernels/simt/schedule.h"
#include "tests/kernels/coverage.h"

namespace melgrad::test {

namespace {

bool races_only = false;

constexpr int64_t canary_bytes = 256;
constexpr unsigned char canary = 0xA5;

// An array on a device with canaries on both sides. Starts as NaN.
class FencedArray {
 public:
  FencedArray(const Shape& shape, DType dtype, Device device) : view_{nullptr, shape, dtype, device} {
    buffer_ = arena(device).allocate(view_.bytes() + 2 * canary_bytes);
    std::vector<unsigned char> bytes(static_cast<std::size_t>(buffer_.bytes()), canary);
    std::memset(bytes.data() + canary_bytes, 0xff, static_cast<std::size_t>(view_.bytes()));
    view_.data = static_cast<char*>(buffer_.data()) + canary_bytes;
    transfer(bytes.data(), true);
  }

  View view() const { return view_; }

  void set(const std::vector<double>& values) {
    View host = to_host_view();
    for (int64_t i = 0; i < host.numel(); ++i) {
      switch (host.dtype) {
        case DType::f32:
          host.as<float>()[i] = static_cast<float>(values[i]);
          break;
        case DType::f64:
          host.as<double>()[i] = values[i];
          break;
        case DType::i32:
          host.as<int32_t>()[i] = static_cast<int32_t>(values[i]);
          break;
        case DType::u8:
          host.as<uint8_t>()[i] = static_cast<uint8_t>(values[i]);
          break;
      }
    }
    copy(host, view_);
  }

  std::vector<double> values() {
    View host = to_host_view();
    copy(view_, host);
    std::vector<double> values(static_cast<std::size_t>(host.numel()));
    for (int64_t i = 0; i < host.numel(); ++i) {
      switch (host.dtype) {
        case DType::f32:
          values[i] = host.as<float>()[i];
          break;
        case DType::f64:
          values[i] = host.as<double>()[i];
          break;
        case DType::i32:
          values[i] = host.as<int32_t>()[i];
          break;
        case DType::u8:
          values[i] = host.as<uint8_t>()[i];
          break;
      }
    }
    return values;
  }

  bool canaries_live() {
    std::vector<unsigned char> bytes(static_cast<std::size_t>(buffer_.bytes()));
    transfer(bytes.data(), false);
    auto alive = [](unsigned char byte) { return byte == canary; };
    const auto end = bytes.begin() + canary_bytes + view_.bytes();
    return std::all_of(bytes.begin(), bytes.begin() + canary_bytes, alive) &&
           std::all_of(end, end + canary_bytes, alive);
  }

 private:
  View to_host_view() {
    host_ = arena(Device::cpu).allocate(view_.bytes());
    return {host_.data(), view_.shape, view_.dtype, Device::cpu};
  }
  void transfer(void* host, bool to_device) {
    const Shape shape{buffer_.bytes()};
    const View device{buffer_.data(), shape, DType::u8, view_.device};
    const View there{host, shape, DType::u8, Device::cpu};
    to_device ? copy(there, device) : copy(device, there);
  }

  Buffer buffer_;
  Buffer host_;
  View view_;
};

struct Arrays {
  std::vector<FencedArray> arrays;
  std::vector<View> views;
  std::vector<ConstView> const_views;

  void add(const Shape& shape, DType dtype, Device device) {
    arrays.emplace_back(shape, dtype, device);
    views.push_back(arrays.back().view());
    const_views.push_back(views.back());
  }
};

using Values = std::vector<std::vector<double>>;

// `index` and u8 arrays keep their type; everything else takes `dtype`.
Arrays make_inputs(const OperationCase& operation, const Values& values, DType dtype, Device device) {
  Arrays inputs;
  for (std::size_t i = 0; i < operation.inputs.size(); ++i) {
    const InputSpec& spec = operation.inputs[i];
    inputs.add(spec.shape, spec.is_index ? DType::i32 : dtype, device);
    inputs.arrays.back().set(values[i]);
  }
  return inputs;
}

Arrays make_outputs(const OperationCase& operation, DType dtype, Device device) {
  Arrays outputs;
  for (const OutputSpec& spec : operation.outputs)
    outputs.add(spec.shape, spec.dtype == DType::f32 ? dtype : spec.dtype, device);
  return outputs;
}

Values evaluate(const std::function<void(Inputs, Outputs)>& function, const OperationCase& operation,
                const Values& values) {
  Arrays inputs = make_inputs(operation, values, DType::f64, Device::cpu);
  Arrays outputs = make_outputs(operation, DType::f64, Device::cpu);
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

struct Run {
  Device device;
  DType dtype;
  bool exact;

  std::string to_string() const {
    std::string text = fmt::format(" on {} {}", name_of(device), name_of(dtype));
    if (device == Device::simt) text += fmt::format(" ({})", name_of(simt::current_schedule().kind));
    return exact ? text + " (integers)" : text;
  }
};

void compare(const OperationCase& operation, const Run& run, Arrays& outputs, const Values& expected,
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
  Arrays inputs = make_inputs(operation, expectation.inputs, run.dtype, run.device);
  Arrays outputs = make_outputs(operation, run.dtype, run.device);
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

// Kernels must not depend on the order of their threads: every schedule gives the same bits.
void check_schedules(const OperationCase& operation, bool exact, const Expectation& expectation) {
  using simt::ScheduleKind;
  Values first;
  for (ScheduleKind kind : {ScheduleKind::forward, ScheduleKind::backward, ScheduleKind::shuffled}) {
    const simt::ScheduleScope scope({kind, 1});
    Values results = check_run(operation, {Device::simt, DType::f32, exact}, expectation);
    if (kind == ScheduleKind::forward)
      first = std::move(results);
    else
      CHECK_MESSAGE(same_bits(results, first), operation.name << ": depends on the order of its threads");
  }
}

// Work is cut by its own size, so any number of threads gives the same bits.
void check_threads(const OperationCase& operation, bool exact, const Expectation& expectation) {
  static ThreadPool one(1), two(2), three(3);
  const Run run{Device::cpu, DType::f32, exact};
  const Values first = check_run(operation, run, expectation, &one);
  for (ThreadPool* pool : {&two, &three}) {
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

// MELGRAD_TEST_DEVICES, if set, names the devices to run on: a search for mutants of one device leaves out the others.
bool is_asked_for(Device device) {
  const char* names = std::getenv("MELGRAD_TEST_DEVICES");
  return names == nullptr || std::string_view(names).find(name_of(device)) != std::string_view::npos;
}

void check_device(const OperationCase& operation, Device device, bool exact, const Expectation& expectation) {
  if (device == Device::simt) return check_schedules(operation, exact, expectation);
  if (device == Device::cpu) return check_threads(operation, exact, expectation);
  check_run(operation, {device, DType::f32, exact}, expectation);
}

}  // namespace

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
