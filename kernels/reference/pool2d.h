// The loops of pooling, over outputs and over the taps of a window.
#pragma once

#include "kernels/pool2d.h"

namespace melgrad::reference {

// Calls body(tap, input) for every tap of one window that lies inside x, in order; `input` is the element it reads.
template <class Body>
void for_each_tap(const Pool2dProblem& p, int64_t sample, int64_t i, int64_t j, int64_t channel, const Body& body) {
  for (int64_t tap = 0; tap < p.rows.size * p.columns.size; ++tap) {
    const int64_t row = p.rows.input(i, tap / p.columns.size);
    const int64_t column = p.columns.input(j, tap % p.columns.size);
    if (row < 0 || row >= p.h || column < 0 || column >= p.w) continue;
    body(tap, ((sample * p.h + row) * p.w + column) * p.c + channel);
  }
}

template <class Body>
void for_each_output(const Pool2dProblem& p, const Body& body) {
  int64_t output = 0;
  for (int64_t sample = 0; sample < p.n; ++sample)
    for (int64_t i = 0; i < p.h_out(); ++i)
      for (int64_t j = 0; j < p.w_out(); ++j)
        for (int64_t channel = 0; channel < p.c; ++channel) body(output++, sample, i, j, channel);
}

}  // namespace melgrad::reference
