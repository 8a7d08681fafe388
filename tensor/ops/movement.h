// Operations that move elements and compute nothing. Each is one or a few strided copies (kernels/strided_copy.h), and
// so is its gradient.
#pragma once

#include <utility>
#include <vector>

#include "kernels/enum_names.h"
#include "tensor/tensor.h"

namespace melgrad {

// Axis i of the result is axis order[i] of x; `order` names every axis once.
Tensor transpose(const Tensor& x, const std::vector<int64_t>& order);
// The same with two axes exchanged.
Tensor swap_axes(const Tensor& x, int64_t a, int64_t b);

// Elements begin, begin + step, … below `end` along an axis. Negative positions count from the end, as in Python;
// `step` is positive.
struct Slice {
  int64_t axis = 0;
  int64_t begin = 0;
  int64_t end = 0;
  int64_t step = 1;
};
Tensor slice(const Tensor& x, const Slice& slice);

// Joined along an axis; all other sizes are equal.
Tensor concatenate(const std::vector<Tensor>& tensors, int64_t axis);

enum class PadMode : uint8_t {
  zero,
  reflect,  // mirrored about the first and the last element, which are not repeated: NumPy's and librosa's "reflect"
};

template <>
inline constexpr EnumNames<PadMode, 2> enum_names<PadMode>{{{PadMode::zero, "zero"}, {PadMode::reflect, "reflect"}}};

// `before` and `after` more elements along an axis; with `reflect` each less than its size.
Tensor pad(const Tensor& x, int64_t axis, int64_t before, int64_t after, PadMode mode = PadMode::zero);

}  // namespace melgrad
