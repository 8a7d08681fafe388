// The definitions of band_scaling.h as loops.
#pragma once

#include <algorithm>

#include "kernels/band_scaling.h"

namespace melgrad::reference {

template <class T>
void limit_bands(bool relative, double range, ConstView largest, View y) {
  const int64_t signals = y.shape[0], n = signals == 0 ? 0 : y.numel() / signals;
  for (int64_t signal = 0; signal < signals; ++signal) {
    const T highest = largest.as<T>()[signal], reference = relative ? highest : T{0};
    const T floor = highest - reference - static_cast<T>(range);
    for (int64_t i = signal * n; i < (signal + 1) * n; ++i) {
      const T value = y.as<T>()[i] - reference;
      y.as<T>()[i] = value < floor ? floor : value;  // a NaN stays
    }
  }
}

template <class T>
void scale_rows(ConstView x, View y) {
  const int64_t columns = x.shape[1];
  for (int64_t row = 0; row < x.shape[0]; ++row) {
    const T* from = x.as<T>() + row * columns;
    T* to = y.as<T>() + row * columns;
    const auto [lowest, highest] = std::minmax_element(from, from + columns);
    const T low = *lowest, range = *highest - *lowest;
    for (int64_t i = 0; i < columns; ++i) to[i] = range > 0 ? (from[i] - low) / range : T{0};
  }
}

}  // namespace melgrad::reference
