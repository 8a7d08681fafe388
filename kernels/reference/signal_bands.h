// The definition of signal_bands.h as loops, in f64 inside.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/signal_bands.h"

namespace melgrad::reference {

// Where the sample at `index`, which may lie outside, is found by reflection about the first and the last sample, as
// often as it takes.
inline int64_t reflected(int64_t index, int64_t n) {
  if (n == 1) return 0;
  const int64_t period = 2 * (n - 1), position = (index % period + period) % period;
  return position < n ? position : period - position;
}

// |X| of one frame, of its windowed samples.
inline std::vector<double> magnitudes(const std::vector<double>& frame) {
  const auto n = static_cast<int64_t>(frame.size());
  std::vector<double> result, cosines, sines;
  for (int64_t k = 0; k < n; ++k) {
    const double angle = 2 * 3.14159265358979323846 * static_cast<double>(k) / static_cast<double>(n);
    cosines.push_back(std::cos(angle));
    sines.push_back(-std::sin(angle));
  }
  for (int64_t bin = 0; bin <= n / 2; ++bin) {
    double re = 0, im = 0;
    for (int64_t t = 0; t < n; ++t) {
      const auto at = static_cast<std::size_t>(bin * t % n);
      re += frame[static_cast<std::size_t>(t)] * cosines[at];
      im += frame[static_cast<std::size_t>(t)] * sines[at];
    }
    result.push_back(std::hypot(re, im));
  }
  return result;
}

inline double scaled_band(const SignalBandsProblem& p, double band) {
  double value = p.exponent == 1 ? band : std::pow(band, p.exponent);
  if (!p.logarithm) return value;
  const BandLogarithm& l = *p.logarithm;
  value = std::max<double>(l.floor, l.offset + static_cast<double>(l.gain) * value);
  return static_cast<double>(l.factor) * std::log(value) + static_cast<double>(l.shift);
}

template <class T>
std::vector<double> windowed_frame(const SignalBandsProblem& p, ConstView x, ConstView window, int64_t signal,
                                   int64_t frame) {
  std::vector<double> values;
  for (int64_t i = 0; i < p.n_fft; ++i) {
    int64_t index = frame * p.hop - p.padding + i;
    const bool outside = index < 0 || index >= p.samples;
    if (outside && p.extension == Extension::reflect) index = reflected(index, p.samples);
    const double sample =
        outside && p.extension == Extension::zero ? 0 : static_cast<double>(x.as<T>()[signal * p.samples + index]);
    values.push_back(sample * static_cast<double>(window.as<T>()[i]));
  }
  return values;
}

template <class T>
void signal_bands(const SignalBandsProblem& p, ConstView x, ConstView window, ConstView filters, ConstView weights,
                  View y) {
  T* out = y.as<T>();
  for (int64_t signal = 0; signal < p.signals; ++signal)
    for (int64_t frame = 0; frame < p.frames; ++frame) {
      std::vector<double> powers = magnitudes(windowed_frame<T>(p, x, window, signal, frame));
      for (double& value : powers) value = std::pow(value, p.power);
      for (int64_t band = 0; band < p.bands(); ++band) {
        double sum = p.filters > 0 ? 0 : powers[static_cast<std::size_t>(band)];
        if (p.filters > 0) {
          const int32_t* filter = filters.as<int32_t>() + 3 * band;
          for (int32_t i = 0; i < filter[1]; ++i)
            sum +=
                static_cast<double>(weights.as<T>()[filter[2] + i]) * powers[static_cast<std::size_t>(filter[0] + i)];
        }
        *out++ = static_cast<T>(scaled_band(p, sum));
      }
    }
}

}  // namespace melgrad::reference
