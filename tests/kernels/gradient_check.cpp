#include "tests/kernels/gradient_check.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/coverage.h"
#include "tests/kernels/fenced_array.h"

namespace melgrad::test {
namespace {

void add_inputs(FencedArrays& arrays, const GradientCase& gradient_case) {
  for (std::size_t i = 0; i < gradient_case.inputs.size(); ++i) {
    const InputSpec& spec = gradient_case.inputs[i];
    arrays.add(spec.shape, spec.is_index ? DType::i32 : DType::f64, Device::cpu);
    Generator random(2, Draw::test, static_cast<uint32_t>(i));
    std::vector<double> values(static_cast<std::size_t>(spec.shape.numel()));
    for (double& value : values) value = spec.fill(random, false);
    arrays.arrays.back().set(values);
  }
}

// One point of the function: inputs, outputs, r.
class Experiment {
 public:
  explicit Experiment(const GradientCase& gradient_case) : case_(gradient_case) {
    add_inputs(inputs_, case_);
    for (const OutputSpec& spec : case_.outputs)
      outputs_.add(spec.shape, spec.dtype == DType::f32 ? DType::f64 : spec.dtype, Device::cpu);
    r_.add(case_.outputs[0].shape, DType::f64, Device::cpu);
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

  FencedArrays analytic() {
    FencedArrays gradients;
    for (const InputSpec& spec : case_.inputs)
      if (!spec.is_index) gradients.add(spec.shape, DType::f64, Device::cpu);
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
  FencedArrays inputs_, outputs_, r_;
};

}  // namespace

void check_gradient(const GradientCase& gradient_case) {
  if (checks_races_only() || !is_asked_for(Device::cpu)) return;
  CHECK_MESSAGE(!gradient_case.proves.empty(), gradient_case.name << ": say which functions this proves");
  for (const std::string& function : gradient_case.proves) record_gradient(function);
  Experiment experiment(gradient_case);
  const FencedArrays analytic = experiment.analytic();
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
