// Features against golden files: how they are read, and how far two may lie apart. NaN is the largest deviation.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "audio/decode.h"
#include "audio/frontend.h"
#include "tensor/io/npy.h"

namespace melgrad::test {

// name.npy in tests/data/FOLDER, (frames, bins) or (frames).
inline Features load_golden(const std::string& name, const std::string& folder = "audio") {
  const Tensor tensor = load_npy(std::filesystem::path(MELGRAD_TEST_DATA) / folder / (name + ".npy"));
  const auto data = tensor.data<float>();
  return {tensor.shape()[0], tensor.shape().rank() > 1 ? tensor.shape()[1] : 1, {data.begin(), data.end()}};
}

// A signal of make_audio.py, by name.
inline std::vector<float> load_signal(const std::string& name) {
  if (name == "speech") return load_golden("resample.8000_22050").values;
  return decode(std::filesystem::path(MELGRAD_TEST_DATA) / "audio" / (name + ".flac")).samples;
}

inline double worse(double a, double b) {
  return a >= b ? a : b;
}

inline float largest(std::span<const float> values) {
  return *std::ranges::max_element(values);
}

inline double largest_difference(std::span<const float> got, std::span<const float> expected) {
  REQUIRE(got.size() == expected.size());
  double all = 0;
  for (std::size_t i = 0; i < got.size(); ++i) all = worse(std::abs(static_cast<double>(got[i]) - expected[i]), all);
  return all;
}

inline double largest_difference(const Features& got, const Features& expected) {
  REQUIRE(got.frames == expected.frames);
  REQUIRE(got.bins == expected.bins);
  return largest_difference(got.values, expected.values);
}

// Of the largest expected power.
inline double power_deviation(const Features& got, const Features& expected) {
  return largest_difference(got, expected) / std::max(static_cast<double>(largest(expected.values)), 1e-30);
}

// The largest differences in dB: down to 60 below the largest, and from there to 79 below. Further down nothing is known
// of powers in f32, but both must be low.
struct DecibelDeviation {
  double above60 = 0, above79 = 0;

  void include(const DecibelDeviation& other) {
    above60 = worse(other.above60, above60);
    above79 = worse(other.above79, above79);
  }
};

inline DecibelDeviation decibel_deviation(const Features& got, const Features& expected) {
  REQUIRE(got.frames == expected.frames);
  REQUIRE(got.bins == expected.bins);
  REQUIRE(got.values.size() == expected.values.size());
  const double top = largest(expected.values);
  DecibelDeviation worst;
  for (std::size_t i = 0; i < got.values.size(); ++i) {
    const double is = got.values[i], should_be = expected.values[i];
    if (should_be >= top - 60) {
      worst.above60 = worse(std::abs(is - should_be), worst.above60);
    } else if (should_be >= top - 79) {
      worst.above79 = worse(std::abs(is - should_be), worst.above79);
    } else if (!(is < top - 78.9)) {
      worst.above79 = NAN;
    }
  }
  return worst;
}

}  // namespace melgrad::test
