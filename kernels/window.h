// Window: how a kernel or a pool slides along one axis. Shared by convolutions and pooling.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/enum_names.h"

namespace melgrad {

enum class Padding : uint8_t {
  valid,  // no padding
  same,   // output = ceil(length / stride); an odd total of padding puts the extra element after, as Keras does
};

template <>
inline constexpr EnumNames<Padding, 2> enum_names<Padding>{{{Padding::valid, "valid"}, {Padding::same, "same"}}};

struct Window {
  int64_t size = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t pad_before = 0;
  int64_t pad_after = 0;

  // Elements from the first tap to the last.
  constexpr int64_t extent() const { return (size - 1) * dilation + 1; }
  // Number of positions along an axis of `length`: floor((length + pads - extent) / stride) + 1, or 0 if it does not
  // fit.
  constexpr int64_t output(int64_t length) const {
    const int64_t room = length + pad_before + pad_after - extent();
    return room < 0 ? 0 : room / stride + 1;
  }
  // Where tap `tap` of output `position` reads; may lie outside 0 … length - 1, in the padding.
  constexpr int64_t input(int64_t position, int64_t tap) const {
    return position * stride - pad_before + tap * dilation;
  }
  constexpr bool operator==(const Window&) const = default;
};

// The window with the padding that `padding` means for an axis of `length`.
constexpr Window padded(Window window, Padding padding, int64_t length) {
  window.pad_before = window.pad_after = 0;
  if (padding == Padding::same) {
    const int64_t outputs = (length + window.stride - 1) / window.stride;
    const int64_t total = std::max<int64_t>(0, (outputs - 1) * window.stride + window.extent() - length);
    window.pad_before = total / 2;
    window.pad_after = total - total / 2;
  }
  return window;
}

// Throws unless sizes, strides and dilations are positive and pads lie in 0 … extent - 1 (so that every position covers
// at least one element) and at least one position fits.
inline void expect_window(const char* operation, const char* axis, const Window& window, int64_t length) {
  require(window.size >= 1 && window.stride >= 1 && window.dilation >= 1,
          "{}: {} size {}, stride {}, dilation {}; expected all positive", operation, axis, window.size, window.stride,
          window.dilation);
  require(window.pad_before >= 0 && window.pad_after >= 0 && window.pad_before < window.extent() &&
              window.pad_after < window.extent(),
          "{}: {} padding {} and {}; expected 0 to {}", operation, axis, window.pad_before, window.pad_after,
          window.extent() - 1);
  require(window.output(length) >= 1, "{}: {} of {} is shorter than the window of {}", operation, axis, length,
          window.extent());
}

}  // namespace melgrad
