// What comparisons with trainings of other frameworks share.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tensor/tensor.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad::test {

inline Tensor as(DType dtype, const Tensor& tensor) {
  const std::vector<double> values = values_of(tensor);
  if (dtype == DType::f64) return Tensor::from(values, tensor.shape());
  return Tensor::from(std::vector<float>(values.begin(), values.end()), tensor.shape());
}

// Element `index` along the first axis, of f32 or i32.
template <class T>
Tensor batch(const Tensor& batches, int64_t index) {
  const Shape shape = batches.shape().without_batch();
  const auto size = static_cast<std::size_t>(shape.numel());
  return Tensor::from(batches.data<T>().subspan(static_cast<std::size_t>(index) * size, size), shape);
}

// |a - b| <= tolerance · largest |b|, for every element. A NaN never passes.
inline void check_trace_tensor(const std::string& name, const Tensor& tensor, const Tensor& golden, double tolerance) {
  const std::vector<double> a = values_of(tensor), b = values_of(golden);
  REQUIRE_MESSAGE(tensor.shape() == golden.shape(), name);
  double largest = 0;
  for (double value : b) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!(std::abs(a[i] - b[i]) <= tolerance * largest)) {
      FAIL_CHECK(name << "[" << i << "] is " << a[i] << ", expected " << b[i] << " within " << tolerance * largest);
      return;
    }
  }
}

}  // namespace melgrad::test
