#include "tests/kernels/gradient_check.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/arena.h"
#include "tests/kernels/coverage.h"

namespace melgrad::test {
namespace {

// Owned f64 or i32 arrays on the CPU, filled with NaN where floating-point.
struct HostArrays {
  std::vector<Buffer> buffers;
  std::vector<View> views;
  std::vector<ConstView> const_views;

  void add(const Shape& shape, DType dtype) {
    View view{nullptr, shape, dtype, Device::cpu};
    buffers.push_back(arena(Device::cpu).allocate(view.bytes()));
    view.data = buffers.back().data();
    if (dtype == DType::f64) std::fill_n(view.as<double>(), view.numel(), std::numeric_limits<double>::quiet_NaN());
    views.push_back(view);
    const_views.push_back(view);
  }
};

void add_inputs(HostArrays& arrays, const GradientCase& gradient_case) {
  for (std::size_t i = 0; i < gradient_case.inputs.size(); ++i) {
    const InputSpec& spec = gradient_case.inputs[i];
    arrays.add(spec.shape, spec.is_index ? DType::i32 : DType::f64);
    Generator random(2, Draw::test, static_cast<uint32_t>(i));
    const View& view = arrays.views.back();
    for (int64_t j = 0; j < view.numel(); ++j) {
      const double value = spec.fill(random, false);
      if (spec.is_index)
        view.as<int32_t>()[j] = static_cast<int32_t>(value);
      else
        view.as<double>()[j] = value;
    }
  }
}

// One point of the function: inputs, outputs, r.
class Experiment {
 public:
  explicit Experiment(const GradientCase& gradient_case) : case_(gradient_case) {
    add_inputs(inputs_, case_);
    for (const OutputSpec& spec : case_.outputs)
      outputs_.add(spec.shape, spec.dtype == DType::f32 ? DType::f64 : spec.dtype);
    r_.add(case_.outputs[0].shape, DType::f64);
    Generator random(3, Draw::test);
    for (int64_t j = 0; j < r_.views[0].numel(); ++j) r_.views[0].as<double>()[j] = random.normal();
  }

  double loss() {
    case_.forward(stream_, inputs_.const_views, outputs_.views);
    double sum = 0;
    for (int64_t j = 0; j < r_.views[0].numel(); ++j)
      sum += r_.views[0].as<double>()[j] * outputs_.views[0].as<double>()[j];
    return sum;
  }

  HostArrays analytic() {
    HostArrays gradients;
    for (const InputSpec& spec : case_.inputs)
      if (!spec.is_index) gradients.add(spec.shape, DType::f64);
    loss();
    case_.backward(stream_, inputs_.const_views, outputs_.views, r_.views[0], gradients.views);
    return gradients;
  }

  std::vector<double> numeric(std::size_t input) {
    constexpr double h = 1e-5;
    std::vector<double> gradient;
    const View& x = inputs_.views[input];
    for (int64_t j = 0; j < x.numel(); ++j) {
      double& element = x.as<double>()[j];
      const double value = element;
      element = value + h;
      const double above = loss();
      element = value - h;
      const double below = loss();
      element = value;
      gradient.push_back((above - below) / (2 * h));
    }
    return gradient;
  }

 private:
  const GradientCase& case_;
  Stream stream_{Device::cpu};
  HostArrays inputs_, outputs_, r_;
};

}  // namespace

void check_gradient(const GradientCase& gradient_case) {
  if (checks_races_only()) return;
  CHECK_MESSAGE(!gradient_case.proves.empty(), gradient_case.name << ": say which functions this proves");
  for (const std::string& function : gradient_case.proves) record_gradient(function);
  Experiment experiment(gradient_case);
  const HostArrays analytic = experiment.analytic();
  std::size_t index = 0;
  for (std::size_t input = 0; input < gradient_case.inputs.size(); ++input) {
    if (gradient_case.inputs[input].is_index) continue;
    const double* gradient = analytic.views[index++].as<double>();
    const std::vector<double> expected = experiment.numeric(input);
    double scale = 1;
    for (double value : expected) scale = std::max(scale, std::abs(value));
    for (std::size_t j = 0; j < expected.size(); ++j) {
      // Written so that a NaN fails.
      if (std::abs(gradient[j] - expected[j]) <= 1e-7 * scale) continue;
      FAIL_CHECK(gradient_case.name << ": gradient of input " << input << "[" << j << "] is " << gradient[j]
                                    << ", central differences give " << expected[j]);
      break;
    }
  }
}

}  // namespace melgrad::test
