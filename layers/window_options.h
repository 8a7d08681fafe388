// How a layer's window slides: what a user says of padding, before the size of the input is known.
#pragma once

#include "kernels/window.h"
#include "layers/pair.h"

namespace melgrad {

// Along one axis: a rule, or amounts.
struct AxisPadding {
  Padding rule = Padding::valid;
  bool given = false;
  int64_t before = 0, after = 0;  // where given

  constexpr AxisPadding(Padding r) : rule(r) {}  // NOLINT: `.padding = Padding::same` is the point
  constexpr AxisPadding(int64_t b, int64_t a) : given(true), before(b), after(a) {}
};

struct PairPadding {
  AxisPadding rows, columns;

  constexpr PairPadding(Padding both) : rows(both), columns(both) {}  // NOLINT
  constexpr PairPadding(AxisPadding r, AxisPadding c) : rows(r), columns(c) {}
};

// The window on an axis of `length`; throws naming the layer and the axis if it does not fit.
inline Window make_window(const char* layer, const char* axis, Window window, const AxisPadding& padding,
                          int64_t length) {
  if (padding.given) {
    window.pad_before = padding.before;
    window.pad_after = padding.after;
  } else {
    require(window.stride >= 1, "{}: {} stride is {}, expected at least 1", layer, axis, window.stride);
    window = padded(window, padding.rule, length);
  }
  expect_window(layer, axis, window, length);
  return window;
}

}  // namespace melgrad
