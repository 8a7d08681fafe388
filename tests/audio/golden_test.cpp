// The frontend, the resampler and the decoder against librosa 0.11; see tests/golden/make_audio.py.
//
// Bounds: before the logarithm 1e-6 of the largest mel power; after it 1e-3 dB down to 60 dB below the largest and 1e-2
// dB down to 79 below; 1e-2 for MFCC; 0.02 dB for what a codec or the resampler made. A NaN never passes.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "audio/resample.h"
#include "tests/audio/golden.h"

namespace melgrad::test {
namespace {

const std::filesystem::path data_folder = MELGRAD_TEST_DATA;

void check_decibels(const Features& features, const Features& golden, double bound60, double bound79,
                    DecibelDeviation& worst) {
  const DecibelDeviation here = decibel_deviation(features, golden);
  CHECK(here.above60 <= bound60);
  CHECK(here.above79 <= bound79);
  worst.include(here);
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
  struct Row {
    double power = 0;
    DecibelDeviation decibels;
    double mfcc = 0;
  };
  std::map<std::string, Row> worst;
  for (const std::string name : signal_names) {
    CAPTURE(name);
    const std::vector<float> samples = load_signal(name);
    const double power =
        power_deviation(Frontend(before_log(frontend_preset("librosa"))).compute(samples), load_golden(name + ".mel"));
    CHECK(power <= 1e-6);
    worst["librosa"].power = worse(power, worst["librosa"].power);
    for (const std::string preset : {"librosa", "librosa-0.8"}) {
      CAPTURE(preset);
      check_decibels(Frontend(frontend_preset(preset)).compute(samples), load_golden(name + "." + preset), 1e-3, 1e-2,
                     worst[preset].decibels);
    }
    const double mfcc =
        largest_difference(Frontend(frontend_preset("gtzan-mfcc")).compute(samples), load_golden(name + ".gtzan-mfcc"));
    CHECK(mfcc <= 1e-2);
    worst["gtzan-mfcc"].mfcc = worse(mfcc, worst["gtzan-mfcc"].mfcc);
  }
  fmt::print("{:12} {:>14} {:>14} {:>14} {:>10}\n", "preset", "mel / largest", "dB above -60", "dB above -79", "MFCC");
  for (const auto& [preset, w] : worst)
    fmt::print("{:12} {:14.2e} {:14.2e} {:14.2e} {:10.2e}\n", preset, w.power, w.decibels.above60, w.decibels.above79,
               w.mfcc);
}

TEST_CASE("the features of the spoken-digits run against librosa") {
  FrontendOptions options = frontend_preset("gtzan-mfcc");
  set_option(options, "frontend", "sample_rate", "8000");
  set_option(options, "frontend", "n_fft", "512");
  set_option(options, "frontend", "hop", "128");
  const std::vector<float> samples = decode(data_folder / "fsdd" / "3" / "jackson_3.wav").samples;
  CHECK(largest_difference(Frontend(options).compute(samples), load_golden("speech.8000-mfcc")) <= 1e-2);
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
  DecibelDeviation worst;
  check_decibels(Frontend(no_limit).compute(samples), load_golden("variant.top_db_none"), 1e-3, 1e-2, worst);
  FrontendOptions floor = options;
  floor.amin = 1e-3;
  floor.top_db = 30;
  check_decibels(Frontend(floor).compute(samples), load_golden("variant.amin"), 1e-3, 1e-2, worst);
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
    const std::vector<float> golden = load_golden(fmt::format("resample.{}_{}", from, to)).values;
    const double worst = largest_difference(resample(samples, from, to), golden);
    CHECK(worst <= 1e-5 * largest(golden));
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
    DecibelDeviation worst;
    check_decibels(Frontend(frontend_preset("librosa")).compute(samples),
                   load_golden("speech_" + extension + ".librosa"), 0.02, 0.02, worst);
    MESSAGE(extension << ": largest difference " << worse(worst.above60, worst.above79) << " dB");
  }
}

}  // namespace
}  // namespace melgrad::test
