// Every other preset against the code it reproduces: tests/golden/make_preset_features.py. librosa's own presets are in
// golden_test.cpp, the key spectrogram in key_spectrogram_test.cpp.
//
// Bounds. Decibels: 1e-3 down to 60 dB below the largest, 1e-2 to 79 below, both low under that; Choi's, whose power is
// squared, twice as much. log10(1 + 10000 x) and ln(1 + x): 1e-4, a thousandth of a decibel at most where x is large.
// Powers: 1e-6 of the largest. Frames scaled to 0 … 1: 1e-3. A NaN never passes.
#include <doctest/doctest.h>

#include <map>
#include <string>

#include "tests/audio/golden.h"

namespace melgrad::test {
namespace {

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
    {"keras", "keras", Scale::decibels},
    {"fma-mel", "fma-mel", Scale::unit, 1, {{"frames", "10"}}},
    {"log-frequency", "log-frequency", Scale::logarithm},
};

void compare(const Preset& preset, const Features& features, const Features& golden, DecibelDeviation& worst) {
  DecibelDeviation here;
  if (preset.scale == Scale::decibels) {
    here = decibel_deviation(features, golden);
  } else if (preset.scale == Scale::power) {
    here.above60 = power_deviation(features, golden);
  } else {
    here.above60 = largest_difference(features, golden);
  }
  const std::map<Scale, double> bounds{
      {Scale::decibels, 1e-3}, {Scale::logarithm, 1e-4}, {Scale::power, 1e-6}, {Scale::unit, 1e-3}};
  CHECK(here.above60 <= preset.factor * bounds.at(preset.scale));
  CHECK(here.above79 <= preset.factor * 1e-2);
  worst.include(here);
}

TEST_CASE("every preset against the code it reproduces") {
  fmt::print("{:14} {:>8} {:>14} {:>16}\n", "preset", "signals", "worst", "dB 60-79 below");
  for (const Preset& preset : presets) {
    CAPTURE(preset.golden);
    FrontendOptions options = frontend_preset(preset.preset);
    for (const auto& [key, value] : preset.settings) REQUIRE(set_option(options, "frontend", key, value));
    const Frontend frontend(options);
    DecibelDeviation worst;  // of what the scale compares
    int signals = 0;
    for (const std::string name : {"silence", "impulse_first", "impulse_last", "chirp", "square", "noise", "one_sample",
                                   "below_window", "speech"}) {
      CAPTURE(name);
      const std::string file = name + "." + preset.golden;
      if (!std::filesystem::exists(std::filesystem::path(MELGRAD_TEST_DATA) / "presets" / (file + ".npy")))
        continue;  // what the other code refuses: see the script
      compare(preset, frontend.compute(load_signal(name)), load_golden(file, "presets"), worst);
      ++signals;
    }
    CHECK(signals >= 5);
    fmt::print("{:14} {:8} {:14.2e} {:>16}\n", preset.golden, signals, worst.above60,
               preset.scale == Scale::decibels ? fmt::format("{:.2e}", worst.above79) : "");
  }
}

}  // namespace
}  // namespace melgrad::test
