// The frontend, the resampler and the decoder against librosa 0.11; see tests/golden/make_audio.py.
//
// Bounds: before the logarithm 1e-6 of the largest mel power; after it 1e-3 dB down to 60 dB below the largest and 1e-2
// dB down to 79 below; 1e-2 for MFCC; 0.02 dB for what a codec or the resampler made. A NaN never passes.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "audio/decode.h"
#include "audio/frontend.h"
#include "audio/resample.h"
#include "tensor/io/npy.h"

namespace melgrad {
namespace {

const std::filesystem::path data_folder = MELGRAD_TEST_DATA;

struct Golden {
  int64_t frames;
  int64_t bins;
  std::vector<float> values;
};

Golden load_golden(const std::string& name) {
  const Tensor tensor = load_npy(data_folder / "audio" / (name + ".npy"));
  const auto data = tensor.data<float>();
  return {tensor.shape()[0], tensor.shape().rank() > 1 ? tensor.shape()[1] : 1, {data.begin(), data.end()}};
}

std::vector<float> load_signal(const std::string& name) {
  if (name == "speech") return load_golden("resample.8000_22050").values;
  return decode(data_folder / "audio" / (name + ".flac")).samples;
}

// The larger deviation, where NaN is the largest.
double worse(double a, double b) {
  return a >= b ? a : b;
}

float largest(const std::vector<float>& values) {
  return *std::max_element(values.begin(), values.end());
}

// Deviations over the bound that holds where they are: above 1 fails.
struct Deviation {
  double power = 0;    // of the largest
  double above60 = 0;  // dB
  double above79 = 0;  // dB
  double mfcc = 0;
};

double power_deviation(const Features& features, const Golden& golden) {
  REQUIRE(features.frames == golden.frames);
  REQUIRE(features.bins == golden.bins);
  REQUIRE(features.values.size() == golden.values.size());
  const double scale = std::max(static_cast<double>(largest(golden.values)), 1e-30);
  double worst = 0;
  for (std::size_t i = 0; i < golden.values.size(); ++i)
    worst = worse(std::abs(static_cast<double>(features.values[i]) - golden.values[i]) / scale, worst);
  return worst;
}

// Checks the decibels. Lower than 79 below the largest both must be low; how low is up to rounding.
void compare_db(const Features& features, const Golden& golden, double bound60, double bound79, Deviation& worst) {
  REQUIRE(features.frames == golden.frames);
  REQUIRE(features.bins == golden.bins);
  REQUIRE(features.values.size() == golden.values.size());
  const double top = largest(golden.values);
  Deviation here;
  for (std::size_t i = 0; i < golden.values.size(); ++i) {
    const double expected = golden.values[i], got = features.values[i];
    if (expected >= top - 60) {
      here.above60 = worse(std::abs(got - expected), here.above60);
    } else if (expected >= top - 79) {
      here.above79 = worse(std::abs(got - expected), here.above79);
    } else if (!(got < top - 78.9)) {
      here.above79 = NAN;
    }
  }
  CHECK(here.above60 <= bound60);
  CHECK(here.above79 <= bound79);
  worst.above60 = worse(here.above60, worst.above60);
  worst.above79 = worse(here.above79, worst.above79);
}

void compare_mfcc(const Features& features, const Golden& golden, Deviation& worst) {
  REQUIRE(features.frames == golden.frames);
  REQUIRE(features.bins == golden.bins);
  double here = 0;
  for (std::size_t i = 0; i < golden.values.size(); ++i)
    here = worse(std::abs(static_cast<double>(features.values[i]) - golden.values[i]), here);
  CHECK(here <= 1e-2);
  worst.mfcc = worse(here, worst.mfcc);
}

FrontendOptions before_log(FrontendOptions options) {
  options.log = LogScale::none;
  options.mfcc = 0;
  return options;
}

constexpr const char* signal_names[] = {"silence",   "impulse_first", "impulse_last", "chirp",
                                        "square",    "noise",         "one_sample",   "two_samples",
                                        "below_pad", "below_window",  "exact_hop",    "speech"};

TEST_CASE("presets against librosa") {
  std::map<std::string, Deviation> worst;
  for (const std::string name : signal_names) {
    CAPTURE(name);
    const std::vector<float> samples = load_signal(name);
    const double power =
        power_deviation(Frontend(before_log(frontend_preset("librosa"))).compute(samples), load_golden(name + ".mel"));
    CHECK(power <= 1e-6);
    worst["librosa"].power = worse(power, worst["librosa"].power);
    for (const std::string preset : {"librosa", "librosa-0.8"}) {
      CAPTURE(preset);
      compare_db(Frontend(frontend_preset(preset)).compute(samples), load_golden(name + "." + preset), 1e-3, 1e-2,
                 worst[preset]);
    }
    compare_mfcc(Frontend(frontend_preset("gtzan-mfcc")).compute(samples), load_golden(name + ".gtzan-mfcc"),
                 worst["gtzan-mfcc"]);
  }
  fmt::print("{:12} {:>14} {:>14} {:>14} {:>10}\n", "preset", "mel / largest", "dB above -60", "dB above -79", "MFCC");
  for (const auto& [preset, w] : worst)
    fmt::print("{:12} {:14.2e} {:14.2e} {:14.2e} {:10.2e}\n", preset, w.power, w.above60, w.above79, w.mfcc);
}

TEST_CASE("the features of the spoken-digits run against librosa") {
  FrontendOptions options = frontend_preset("gtzan-mfcc");
  set_option(options, "frontend", "sample_rate", "8000");
  set_option(options, "frontend", "n_fft", "512");
  set_option(options, "frontend", "hop", "128");
  Deviation worst;
  compare_mfcc(Frontend(options).compute(decode(data_folder / "fsdd" / "3" / "jackson_3.wav").samples),
               load_golden("speech.8000-mfcc"), worst);
}

struct Variant {
  const char* golden;
  std::vector<std::pair<const char*, const char*>> settings;
};

TEST_CASE("each option of the frontend against librosa") {
  const std::vector<Variant> variants{
      {"plain", {}},
      {"n_fft_500", {{"n_fft", "500"}, {"hop", "125"}}},
      {"n_fft_441", {{"n_fft", "441"}, {"hop", "100"}}},
      {"n_fft_509", {{"n_fft", "509"}, {"hop", "100"}}},
      {"center_false", {{"center", "false"}}},
      {"window_hamming", {{"window", "hamming"}}},
      {"window_blackman", {{"window", "blackman"}}},
      {"window_rectangular", {{"window", "rectangular"}}},
      {"power_1", {{"power", "1"}}},
      {"fmin_100_fmax_3000", {{"fmin", "100"}, {"fmax", "3000"}}},
      {"htk", {{"mel_scale", "htk"}}},
      {"norm_none", {{"mel_norm", "none"}}},
      {"spectrum", {{"mels", "0"}, {"frames", "10"}}},
  };
  const std::vector<float> samples = decode(data_folder / "fsdd" / "3" / "jackson_3.wav").samples;
  for (const Variant& variant : variants) {
    CAPTURE(variant.golden);
    FrontendOptions options = before_log(frontend_preset("librosa"));
    for (auto [key, value] : {std::pair{"sample_rate", "8000"}, {"n_fft", "512"}, {"hop", "128"}, {"mels", "40"}})
      set_option(options, "frontend", key, value);
    for (auto [key, value] : variant.settings) REQUIRE(set_option(options, "frontend", key, value));
    CHECK(power_deviation(Frontend(options).compute(samples), load_golden(std::string("variant.") + variant.golden)) <=
          1e-6);
  }
}

TEST_CASE("decibels without a limit and with another floor against librosa") {
  const std::vector<float> samples = decode(data_folder / "fsdd" / "3" / "jackson_3.wav").samples;
  FrontendOptions options;
  options.sample_rate = 8000;
  options.n_fft = 512;
  options.hop = 128;
  options.mels = 40;
  FrontendOptions no_limit = options;
  no_limit.top_db = {};
  no_limit.ref = 0.5;
  Deviation worst;
  compare_db(Frontend(no_limit).compute(samples), load_golden("variant.top_db_none"), 1e-3, 1e-2, worst);
  FrontendOptions floor = options;
  floor.amin = 1e-3;
  floor.top_db = 30;
  compare_db(Frontend(floor).compute(samples), load_golden("variant.amin"), 1e-3, 1e-2, worst);
}

TEST_CASE("resampling against librosa") {
  const std::vector<float> speech = decode(data_folder / "fsdd" / "3" / "jackson_3.wav").samples;
  const std::vector<float> tone = load_signal("tone_44100");
  struct Conversion {
    std::span<const float> samples;
    int64_t from, to;
  };
  for (const auto& [samples, from, to] :
       {Conversion{speech, 8000, 22050}, {tone, 44100, 22050}, {std::span(tone).first(5000), 44100, 48000}}) {
    CAPTURE(from);
    CAPTURE(to);
    const Golden golden = load_golden(fmt::format("resample.{}_{}", from, to));
    const std::vector<float> got = resample(samples, from, to);
    REQUIRE(got.size() == golden.values.size());
    double worst = 0;
    for (std::size_t i = 0; i < got.size(); ++i)
      worst = worse(std::abs(static_cast<double>(got[i]) - golden.values[i]), worst);
    CHECK(worst <= 1e-5 * largest(golden.values));
    MESSAGE("largest difference, of full scale: " << worst);
  }
}

TEST_CASE("MP3, OGG and FLAC, stereo and resampled, against librosa") {
  for (const std::string extension : {"mp3", "ogg", "flac"}) {
    CAPTURE(extension);
    const Audio audio = decode(data_folder / "audio" / ("speech." + extension));
    CHECK(audio.sample_rate == 44100);
    const auto length_of = [&](int rate) {
      return load_npy(data_folder / "audio" / fmt::format("speech_{}_{}.length.npy", extension, rate))
          .data<int32_t>()[0];
    };
    CHECK(static_cast<int32_t>(audio.samples.size()) == length_of(44100));
    const std::vector<float> samples = resample(audio.samples, 44100, 22050);
    CHECK(static_cast<int32_t>(samples.size()) == length_of(22050));
    Deviation worst;
    compare_db(Frontend(frontend_preset("librosa")).compute(samples), load_golden("speech_" + extension + ".librosa"),
               0.02, 0.02, worst);
    MESSAGE(extension << ": largest difference " << worse(worst.above60, worst.above79) << " dB");
  }
}

}  // namespace
}  // namespace melgrad
