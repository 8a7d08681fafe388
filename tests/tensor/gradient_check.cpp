#include "tests/tensor/gradient_check.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/philox.h"
#include "tensor/autograd.h"

namespace melgrad::test {
namespace {

double largest(const std::vector<double>& values) {
  double result = 0;
  for (double value : values) result = std::max(result, std::abs(value));
  return result;
}

double inner_product(const Tensor& r, const Tensor& y) {
  const auto a = r.data<double>();
  const auto b = y.data<double>();
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// Fresh leaves, so that a check leaves the caller's tensors alone.
std::vector<Tensor> leaves(const std::vector<Tensor>& inputs, const std::vector<bool>& wanted) {
  std::vector<Tensor> copies;
  for (std::size_t i = 0; i < inputs.size(); ++i) copies.push_back(inputs[i].clone());
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (wanted[i]) copies[i].set_requires_grad();
  return copies;
}

std::vector<double> slopes(const TensorFunction& function, const std::vector<Tensor>& inputs, std::size_t which,
                           const Tensor& r, double step) {
  std::vector<Tensor> moved = leaves(inputs, std::vector<bool>(inputs.size(), false));
  std::vector<double> result;
  for (int64_t i = 0; i < moved[which].numel(); ++i) {
    const double before = moved[which].data<double>()[i];
    moved[which].mutable_data<double>()[i] = before + step;
    const double above = inner_product(r, function(moved));
    moved[which].mutable_data<double>()[i] = before - step;
    const double below = inner_product(r, function(moved));
    moved[which].mutable_data<double>()[i] = before;
    result.push_back((above - below) / (2 * step));
  }
  return result;
}

// The gradients that backward() gives where they are wanted; nothing where not.
std::vector<std::vector<double>> gradients(const std::string& name, const TensorFunction& function,
                                           const std::vector<Tensor>& inputs, const std::vector<bool>& wanted,
                                           const Tensor& r) {
  const std::vector<Tensor> own = leaves(inputs, wanted);
  backward(function(own), r);
  std::vector<std::vector<double>> result(inputs.size());
  for (std::size_t i = 0; i < own.size(); ++i) {
    INFO(name, ": input ", i);
    REQUIRE(own[i].grad().defined() == wanted[i]);
    if (wanted[i]) result[i] = values_of(own[i].grad());
  }
  return result;
}

}  // namespace

Tensor uniform_tensor(const Shape& shape, uint32_t id, double low, double high) {
  Generator random(1, Draw::test, id);
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  for (double& value : values) value = random.uniform(low, high);
  return Tensor::from(values, shape);
}

Tensor nonzero_tensor(const Shape& shape, uint32_t id) {
  Tensor tensor = uniform_tensor(shape, id, 0.2, 1.5);
  Generator random(2, Draw::test, id);
  for (double& value : tensor.mutable_data<double>())
    if (random.below(2) == 1) value = -value;
  return tensor;
}

Tensor distinct_tensor(const Shape& shape, uint32_t id) {
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.1 * static_cast<double>(i) - 1.05;
  Generator(3, Draw::test, id).shuffle(values);
  return Tensor::from(values, shape);
}

std::vector<double> values_of(const Tensor& tensor) {
  std::vector<double> values;
  if (tensor.dtype() == DType::f64) {
    for (double value : tensor.data<double>()) values.push_back(value);
  } else {
    for (float value : tensor.data<float>()) values.push_back(value);
  }
  return values;
}

bool all_close(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  if (a.size() != b.size()) return false;
  const double bound = tolerance * std::max(1.0, largest(b));
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!(std::abs(a[i] - b[i]) <= bound)) return false;
  return true;
}

void check_gradients(const std::string& name, const TensorFunction& function, const std::vector<Tensor>& inputs,
                     const GradientCheckOptions& options) {
  const std::vector<bool> all(inputs.size(), true);
  const Shape shape = function(leaves(inputs, std::vector<bool>(inputs.size(), false))).shape();
  const Tensor r = nonzero_tensor(shape, 1000);
  const auto together = gradients(name, function, inputs, all, r);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    INFO(name, ": input ", i, " ", inputs[i].shape().to_string());
    const std::vector<double> expected = slopes(function, inputs, i, r, options.step);
    REQUIRE(together[i].size() == expected.size());
    const double bound = options.tolerance * std::max(1.0, largest(expected));
    for (std::size_t e = 0; e < expected.size(); ++e) {
      // Written so that a NaN fails.
      if (!(std::abs(together[i][e] - expected[e]) <= bound)) {
        FAIL_CHECK("gradient[" << e << "] is " << together[i][e] << ", the slope of the loss " << expected[e]);
        break;
      }
    }
    if (!options.may_be_zero) CHECK_MESSAGE(largest(together[i]) > 1e-3, "the gradient is zero");
    std::vector<bool> one(inputs.size(), false);
    one[i] = true;
    CHECK_MESSAGE(gradients(name, function, inputs, one, r)[i] == together[i], "alone, the gradient differs");
  }
}

}  // namespace melgrad::test
