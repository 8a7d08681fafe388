// The shape, dtype and device checks that every kernels/<op>.cpp makes before it dispatches.
#pragma once

#include <span>

#include "kernels/view.h"

namespace melgrad {

// `view` must have exactly this shape: "conv2d_forward: w is (3, 3, 1, 8), expected (3, 3, 2, 8)".
inline void expect_shape(const char* operation, const char* name, const ConstView& view, const Shape& shape) {
  if (view.shape == shape) return;
  fail("{}: {} is {}, expected {}", operation, name, view.shape.to_string(), shape.to_string());
}

inline void expect_dtype(const char* operation, const char* name, const ConstView& view, DType dtype) {
  require(view.dtype == dtype, "{}: {} is {}, expected {}", operation, name, name_of(view.dtype), name_of(dtype));
}

// Labels and positions: i32, on the device of the operation's other views.
inline void expect_index(const char* operation, const char* name, const ConstView& view, Device device) {
  expect_dtype(operation, name, view, DType::i32);
  require(view.device == device, "{}: mixes memory of {} and {}", operation, name_of(device), name_of(view.device));
}

// The floating-point views of an operation: one device, one element type (f32, or f64 on the CPU).
template <class... Views>
void expect_alike(const char* operation, const ConstView& first, const Views&... others) {
  require(first.dtype == DType::f32 || first.dtype == DType::f64, "{}: elements are {}, expected f32 or f64", operation,
          name_of(first.dtype));
  require(first.dtype != DType::f64 || first.device == Device::cpu, "{}: f64 runs on the cpu only, not on {}",
          operation, name_of(first.device));
  auto expect = [&](const ConstView& other) {
    require(other.dtype == first.dtype, "{}: mixes {} and {}", operation, name_of(first.dtype), name_of(other.dtype));
    require(other.device == first.device, "{}: mixes memory of {} and {}", operation, name_of(first.device),
            name_of(other.device));
  };
  (expect(others), ...);
}

// `automatic`, or one of those that are built for the device.
template <class Algorithm>
void expect_algorithm(const char* operation, Algorithm algorithm, std::span<const Algorithm> built, Device device) {
  if (algorithm == Algorithm::automatic) return;
  for (Algorithm known : built)
    if (known == algorithm) return;
  fail("{}: device {} has no algorithm '{}'", operation, name_of(device), name_of(algorithm));
}

}  // namespace melgrad
