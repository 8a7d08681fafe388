// The frontend's options as text, its refusals, and what goldens do not show.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "audio/frontend.h"
#include "audio/mel.h"
#include "kernels/philox.h"
#include "tests/audio/audio_folder.h"

namespace melgrad {
namespace {

using test::error_of;

std::vector<float> noise(std::size_t samples) {
  Generator random(3, Draw::test);
  std::vector<float> x(samples);
  for (float& value : x) value = static_cast<float>(0.1 * random.normal());
  return x;
}

TEST_CASE("frontend options: text gives the same options back") {
  FrontendOptions options = frontend_preset("gtzan-mfcc");
  options.fmax = 8000.5;
  options.top_db = {};
  options.center = false;
  options.normalise = Normalise::frame_minmax;
  FrontendOptions back;
  const std::string text = format_options(options);
  std::size_t lines = 0;
  for (std::size_t start = 0; start < text.size(); ++lines) {
    const std::size_t end = text.find('\n', start), equals = text.find(" = ", start);
    REQUIRE(
        set_option(back, "frontend", text.substr(start, equals - start), text.substr(equals + 3, end - equals - 3)));
    start = end + 1;
  }
  CHECK(back == options);
  CHECK(lines == 24);
  CHECK(text.find("top_db = \"none\"\n") != std::string::npos);
  CHECK(text.find("fmax = 8000.5\n") != std::string::npos);
  CHECK(format_options(frontend_preset("librosa")).find("ref = \"max\"\n") != std::string::npos);
}

TEST_CASE("frontend options: presets, bad keys and values") {
  CHECK(frontend_preset("gtzan-mfcc").mfcc == 13);
  CHECK(frontend_preset("librosa-0.8").pad == EdgePadding::reflect);
  CHECK(error_of([] { frontend_preset("gtzan"); }).find("gtzan-mfcc") != std::string::npos);
  FrontendOptions options;
  CHECK_FALSE(set_option(options, "frontend", "nfft", "512"));
  CHECK(error_of([&] { set_option(options, "frontend", "ref", "min"); }) ==
        "frontend.ref: 'min' is neither a number nor \"max\"");
  CHECK(error_of([&] { set_option(options, "frontend", "n_fft", "512.5"); }).find("whole number") != std::string::npos);
  for (const FrontendPreset& preset : frontend_presets()) validate(preset.options);
}

TEST_CASE("frontend options that make no sense are refused with the key's name") {
  for (auto [key, value] : {std::pair{"sample_rate", "0"},
                            {"n_fft", "1"},
                            {"hop", "0"},
                            {"power", "0"},
                            {"power", "nan"},
                            {"mels", "-1"},
                            {"fmin", "-1"},
                            {"fmin", "20000"},
                            {"fmax", "11026"},
                            {"fmax", "nan"},
                            {"mel_power", "0"},
                            {"bands_per_octave", "24"},
                            {"log_scale", "0"},
                            {"ref", "0"},
                            {"amin", "0"},
                            {"amin", "nan"},
                            {"top_db", "-1"},
                            {"top_db", "nan"},
                            {"mfcc", "129"},
                            {"frames", "-1"}}) {
    CAPTURE(key);
    CAPTURE(value);
    FrontendOptions options;
    REQUIRE(set_option(options, "frontend", key, value));
    const std::string message = error_of([&] { Frontend{options}; });
    CHECK(message.starts_with("frontend."));
    CHECK(message.find('\n') == std::string::npos);
  }
}

TEST_CASE("frame counts are librosa's") {
  const Frontend frontend(frontend_preset("gtzan-mfcc"));
  CHECK(frontend.frames_for(66150) == 130);
  CHECK(frontend.frames_for(1) == 1);
  CHECK(frontend.frames_for(0) == 0);
  CHECK(frontend.frames_for(511) == 1);
  CHECK(frontend.frames_for(512) == 2);
  CHECK(frontend.bins() == 13);
  FrontendOptions options;
  options.center = false;
  CHECK(Frontend(options).frames_for(2047) == 0);
  CHECK(Frontend(options).frames_for(2048) == 1);
  CHECK(Frontend(options).frames_for(2048 + 512) == 2);
}

TEST_CASE("frontend refuses too few samples and samples that are not finite") {
  FrontendOptions options;
  CHECK_THROWS_AS(Frontend(options).compute({}), Error);
  std::vector<float> x = noise(4000);
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e30F}) {
    x[3999] = bad;
    CHECK_THROWS_AS(Frontend(options).compute(x), Error);
  }
  options.frames = 9;
  CHECK(error_of([&] { Frontend(options).compute(noise(4000)); }).find("9 frames") != std::string::npos);
  CHECK(Frontend(options).frames_for(4096) == 9);
}

TEST_CASE("a maximum of the first frames only, and frames from 0 to 1") {
  FrontendOptions options;
  options.frames = 5;
  std::vector<float> x = noise(20'000);
  const Features quiet = Frontend(options).compute(x);
  for (std::size_t i = 10'000; i < x.size(); ++i) x[i] *= 100;  // after the frames that count
  CHECK(Frontend(options).compute(x).values == quiet.values);
  CHECK(*std::max_element(quiet.values.begin(), quiet.values.end()) == 0);

  options.normalise = Normalise::frame_minmax;
  const Features scaled = Frontend(options).compute(x);
  CHECK(scaled.frames == 5);
  for (int64_t frame = 0; frame < scaled.frames; ++frame) {
    const auto begin = scaled.values.begin() + frame * scaled.bins;
    CHECK(*std::min_element(begin, begin + scaled.bins) == 0);
    CHECK(*std::max_element(begin, begin + scaled.bins) == 1);
  }
  const Features silent = Frontend(options).compute(std::vector<float>(20'000));
  for (float value : silent.values) CHECK(value == 0);
}

TEST_CASE("logarithms and powers of the mel spectrum") {
  const std::vector<float> x = noise(6000);
  FrontendOptions options;
  options.log = LogScale::none;
  const std::vector<float> mel = Frontend(options).compute(x).values;
  const auto check_log = [&](LogScale log, double scale, double mel_power, auto&& formula) {
    FrontendOptions with = options;
    with.log = log;
    with.log_scale = scale;
    with.mel_power = mel_power;
    with.amin = 1e-6;
    const std::vector<float> got = Frontend(with).compute(x).values;
    REQUIRE(got.size() == mel.size());
    for (std::size_t i = 0; i < mel.size(); ++i)
      CHECK(got[i] == doctest::Approx(formula(static_cast<double>(mel[i]))).epsilon(1e-5));
  };
  check_log(LogScale::log10p, 10000, 1, [](double power) { return std::log10(1 + 10000 * power); });
  check_log(LogScale::log1p, 3, 1, [](double power) { return std::log1p(3 * power); });
  check_log(LogScale::ln, 1, 1, [](double power) { return std::log(std::max(1e-6, power)); });
  check_log(LogScale::none, 1, 2, [](double power) { return power * power; });
  check_log(LogScale::none, 1, 0.33, [](double power) { return std::pow(power, 0.33); });
}

TEST_CASE("mel scales are inverse to each other") {
  for (MelScale scale : {MelScale::slaney, MelScale::htk})
    for (double hz : {0.0, 440.0, 999.0, 1000.0, 1001.0, 8000.0})
      CHECK(mel_to_hz(hz_to_mel(hz, scale), scale) == doctest::Approx(hz));
  CHECK(hz_to_mel(1000, MelScale::slaney) == doctest::Approx(15));
  CHECK(hz_to_mel(6400, MelScale::slaney) == doctest::Approx(42));
  CHECK(hz_to_mel(1000, MelScale::htk) == doctest::Approx(999.9855));
}

TEST_CASE("one frontend, many threads, the same bits") {
  const Frontend frontend(frontend_preset("gtzan-mfcc"));
  const std::vector<float> x = noise(30'000);
  const std::vector<float> expected = frontend.compute(x).values;
  std::vector<std::vector<float>> got(4);
  {
    std::vector<std::jthread> threads;
    for (auto& result : got) threads.emplace_back([&] { result = frontend.compute(x).values; });
  }
  for (const auto& result : got) CHECK(result == expected);
}

}  // namespace
}  // namespace melgrad
