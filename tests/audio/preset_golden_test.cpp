// Every other preset against the code it reproduces: tests/golden/make_preset_features.py. librosa's own presets are in
// golden_test.cpp, the key spectrogram in key_spectrogram_test.cpp.
//
// Bounds. Decibels: 1e-3 down to 60 dB below the largest, 1e-2 to 79 below, both low under that; Choi's, whose power is
// squared, twice as much; Keras's, whose own filters are f32, ten times (5e-3 is
// the worst, on the square wave, whose harmonics lie where a filter begins). log10(1 + 10000 x) and ln(1 + x): 1e-4, a thousandth of a decibel at most where x is large.
// Powers: 1e-6 of the largest. Frames scaled to 0 … 1: 1e-3. A NaN never passes.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "audio/decode.h"
#include "audio/frontend.h"
#include "tensor/io/npy.h"

namespace melgrad {
namespace {

const std::filesystem::path data_folder = MELGRAD_TEST_DATA;

enum class Scale { decibels, logarithm, power, unit };

struct Preset {
  std::string golden;  // the file's name
  std::string preset;
  Scale scale;
  double factor = 1;  // on the bounds
  std::vector<std::pair<std::string, std::string>> settings{};
};

const std::vector<Preset> presets{
    {"mtat", "mtat", Scale::decibels},
    {"mtat-96", "mtat", Scale::decibels, 1, {{"mels", "96"}}},
    {"choi", "choi", Scale::decibels, 2},
    {"musicnn", "musicnn", Scale::logarithm},
    {"torchaudio", "torchaudio", Scale::power},
    {"keras", "keras", Scale::decibels, 10},
    {"fma-mel", "fma-mel", Scale::unit, 1, {{"frames", "10"}}},
    {"log-frequency", "log-frequency", Scale::logarithm},
};

struct Deviation {
  double all = 0;  // of what the scale compares; decibels: down to 60 below the largest
  double low = 0;  // decibels: from there to 79 below
  int signals = 0;
};

double worse(double a, double b) {
  return a >= b ? a : b;  // NaN is the worst
}

// In f32 nothing is known of what lies further below the largest power than its precision.
void compare_decibels(std::span<const float> got, std::span<const float> expected, Deviation& here) {
  const double top = *std::ranges::max_element(expected);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(static_cast<double>(got[i]) - expected[i]);
    if (expected[i] >= top - 60) {
      here.all = worse(difference, here.all);
    } else if (expected[i] >= top - 79) {
      here.low = worse(difference, here.low);
    } else if (!(got[i] < top - 78.9)) {
      here.low = NAN;
    }
  }
}

void compare(const Preset& preset, const Features& features, const Tensor& golden, Deviation& worst) {
  REQUIRE(golden.shape() == Shape{features.frames, features.bins});
  const auto expected = golden.data<float>();
  Deviation here;
  if (preset.scale == Scale::decibels) {
    compare_decibels(features.values, expected, here);
  } else {
    const double scale =
        preset.scale == Scale::power ? std::max<double>(*std::ranges::max_element(expected), 1e-30) : 1;
    for (std::size_t i = 0; i < expected.size(); ++i)
      here.all = worse(std::abs(static_cast<double>(features.values[i]) - expected[i]) / scale, here.all);
  }
  const std::map<Scale, double> bounds{
      {Scale::decibels, 1e-3}, {Scale::logarithm, 1e-4}, {Scale::power, 1e-6}, {Scale::unit, 1e-3}};
  CHECK(here.all <= preset.factor * bounds.at(preset.scale));
  CHECK(here.low <= preset.factor * 1e-2);
  worst.all = worse(here.all, worst.all);
  worst.low = worse(here.low, worst.low);
  ++worst.signals;
}

std::vector<float> load_signal(const std::string& name) {
  if (name != "speech") return decode(data_folder / "audio" / (name + ".flac")).samples;
  const Tensor speech = load_npy(data_folder / "audio" / "resample.8000_22050.npy");
  return {speech.data<float>().begin(), speech.data<float>().end()};
}

TEST_CASE("every preset against the code it reproduces") {
  fmt::print("{:14} {:>8} {:>14} {:>16}\n", "preset", "signals", "worst", "dB 60-79 below");
  for (const Preset& preset : presets) {
    CAPTURE(preset.golden);
    FrontendOptions options = frontend_preset(preset.preset);
    for (const auto& [key, value] : preset.settings) REQUIRE(set_option(options, "frontend", key, value));
    const Frontend frontend(options);
    Deviation worst;
    for (const std::string name : {"silence", "impulse_first", "impulse_last", "chirp", "square", "noise", "one_sample",
                                   "below_window", "speech"}) {
      CAPTURE(name);
      const auto golden = data_folder / "presets" / (name + "." + preset.golden + ".npy");
      if (!std::filesystem::exists(golden)) continue;  // what the other code refuses: see the script
      compare(preset, frontend.compute(load_signal(name)), load_npy(golden), worst);
    }
    CHECK(worst.signals >= 5);
    fmt::print("{:14} {:8} {:14.2e} {:>16}\n", preset.golden, worst.signals, worst.all,
               preset.scale == Scale::decibels ? fmt::format("{:.2e}", worst.low) : "");
  }
}

}  // namespace
}  // namespace melgrad
