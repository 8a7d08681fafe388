// Each augmentation by itself, and segments drawn in training.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <set>

#include "audio/augment.h"
#include "audio/segment_source.h"
#include "kernels/error.h"
#include "kernels/fft.h"
#include "kernels/thread_pool.h"
#include "tests/audio/audio_folder.h"

namespace melgrad {
namespace {

using test::AudioFolder;

std::vector<float> tone(double hertz, int64_t samples, double rate = 8000, double amplitude = 0.4) {
  std::vector<float> x;
  for (int64_t i = 0; i < samples; ++i)
    x.push_back(static_cast<float>(amplitude * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / rate)));
  return x;
}

double power(std::span<const float> x) {
  double sum = 0;
  for (float v : x) sum += static_cast<double>(v) * v;
  return sum / static_cast<double>(x.size());
}

// Zero crossings upwards, a second.
double pitch_of(std::span<const float> x, double rate) {
  int64_t crossings = 0, first = -1, last = -1;
  for (std::size_t i = 1; i < x.size(); ++i) {
    if (!(x[i - 1] < 0 && x[i] >= 0)) continue;
    if (first < 0) first = static_cast<int64_t>(i);
    last = static_cast<int64_t>(i);
    ++crossings;
  }
  return static_cast<double>(crossings - 1) * rate / static_cast<double>(last - first);
}

TEST_CASE("gain in dB") {
  std::vector<float> x{0.1F, -0.2F};
  change_gain(x, 20);
  CHECK(x[0] == doctest::Approx(1));
  change_gain(x, -6.0206);
  CHECK(x[1] == doctest::Approx(-1).epsilon(1e-5));
}

TEST_CASE("noise has the power asked for, is white and Gaussian, and comes from its stream") {
  const std::vector<float> clean = tone(440, 40'001);
  for (double snr : {-6.0, 0.0, 20.0}) {
    std::vector<float> noisy = clean;
    add_noise(noisy, snr, {1, Draw::augment_noise, 2, 3});
    std::vector<float> noise(clean.size());
    for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = noisy[i] - clean[i];
    const double measured = 10 * std::log10(power(clean) / power(noise));
    CHECK(measured == doctest::Approx(snr).epsilon(0.01).scale(20));
    double fourth = 0, neighbours = 0;
    for (std::size_t i = 1; i < noise.size(); ++i) {
      fourth += std::pow(noise[i], 4.0);
      neighbours += static_cast<double>(noise[i]) * noise[i - 1];
    }
    const double n = static_cast<double>(noise.size());
    CHECK(fourth / n / std::pow(power(noise), 2) == doctest::Approx(3).epsilon(0.1));
    CHECK(std::abs(neighbours / n / power(noise)) < 0.02);
  }
  std::vector<float> a = clean, b = clean, c = clean;
  add_noise(a, 10, {1, Draw::augment_noise, 2, 3});
  add_noise(b, 10, {1, Draw::augment_noise, 2, 3});
  add_noise(c, 10, {1, Draw::augment_noise, 2, 4});
  CHECK(a == b);
  CHECK(a != c);
  std::vector<float> silence(100);
  add_noise(silence, 0, {});
  CHECK(power(silence) == 0);
}

TEST_CASE("a pitch shift moves a tone by its semitones, and the length is kept") {
  for (int64_t semitones : {-4, -1, 0, 3, 7, 12}) {
    CAPTURE(semitones);
    const int64_t length = 8000;
    const int64_t source = source_length(length, semitones);
    CHECK(std::abs(static_cast<double>(source) - 8000 * std::exp2(static_cast<double>(semitones) / 12)) <= 0.5);
    const std::vector<float> shifted = change_pitch(tone(500, source), semitones, length);
    CHECK(shifted.size() == 8000);
    CHECK(pitch_of(shifted, 8000) ==
          doctest::Approx(500 * std::exp2(static_cast<double>(semitones) / 12)).epsilon(2e-3));
  }
  CHECK(shifted_key(0, 1) == 2);    // C minor → C# minor
  CHECK(shifted_key(23, 1) == 1);   // B major → C major
  CHECK(shifted_key(1, -1) == 23);  // C major → B major
  CHECK(shifted_key(5, 24) == 5);
}

TEST_CASE("masks: at most so many frames and bins, at the mean") {
  AugmentOptions options;
  options.time_masks = 2;
  options.time_width = 5;
  options.band_masks = 1;
  options.band_width = 3;
  std::set<int64_t> widths;
  for (uint32_t draw = 0; draw < 200; ++draw) {
    std::vector<float> x(40 * 12);
    std::iota(x.begin(), x.end(), 0.0F);
    const std::vector<float> before = x;
    Generator random(1, Draw::test, draw);
    mask_features(x, 40, 12, options, random);
    int64_t frames = 0, bins = 0;
    const auto mean = (40.0F * 12 - 1) / 2;
    const auto masked = [&](std::size_t i) { return x[i] == mean; };
    for (std::size_t i = 0; i < x.size(); ++i) CHECK((masked(i) || x[i] == before[i]));
    for (std::size_t t = 0; t < 40; ++t) {
      bool all = true;
      for (std::size_t b = 0; b < 12; ++b) all = all && masked(t * 12 + b);
      frames += all;
    }
    for (std::size_t b = 0; b < 12; ++b) {
      bool all = true;
      for (std::size_t t = 0; t < 40; ++t) all = all && masked(t * 12 + b);
      bins += all;
    }
    CHECK(frames <= 10);
    CHECK(bins <= 3);
    widths.insert(bins);
  }
  CHECK(widths == std::set<int64_t>{0, 1, 2, 3});
}

TEST_CASE("Beta(alpha, alpha): mean one half, variance 1 / (4 (2 alpha + 1))") {
  for (double alpha : {0.2, 0.4, 1.0, 2.0}) {
    Generator random(5, Draw::test);
    double sum = 0, squares = 0;
    constexpr int n = 20'000;
    for (int i = 0; i < n; ++i) {
      const double x = draw_beta(alpha, random);
      CHECK((x >= 0 && x <= 1));
      sum += x;
      squares += (x - 0.5) * (x - 0.5);
    }
    CHECK(sum / n == doctest::Approx(0.5).epsilon(0.02));
    CHECK(squares / n == doctest::Approx(1 / (4 * (2 * alpha + 1))).epsilon(0.05));
  }
}

TEST_CASE("options that make no sense name the key") {
  AugmentOptions options;
  options.mixup = -1;
  CHECK(test::error_of([&] { validate(options); }).find("augment.mixup") == 0);
  options = {};
  options.time_masks = -1;
  CHECK(test::error_of([&] { validate(options); }).find("augment.time_masks") == 0);
}

// One clip of a rising ramp, two seconds at 8 kHz, cut into waveforms of a quarter second.
struct Fixture {
  AudioFolder folder;
  FrontendOptions frontend;
  DataOptions data;
  AugmentOptions augment;

  Fixture() {
    frontend = frontend_preset("waveform");
    frontend.sample_rate = 8000;
    data.duration = 1;
    data.segments = 4;
    std::vector<float> ramp;
    for (int i = 0; i < 16'000; ++i) ramp.push_back(static_cast<float>(i) / 32768);
    folder.write_audio("set/a/1.wav", ramp, 8000, 1, SF_FORMAT_WAV | SF_FORMAT_PCM_16);
  }
  SegmentSource source() const {
    ThreadPool pool(1);
    const auto shared = std::make_shared<const Frontend>(frontend);
    auto set = std::make_shared<const FeatureSet>(compute_features(read_clips(folder.path() / "set", data), *shared,
                                                                   data, pool, {}, what_to_keep(*shared, true)));
    return {set, {0, 1, 2, 3}, shared, data, augment};
  }
  // Sample numbers in the file.
  static std::vector<float> numbers(std::span<const float> values) {
    std::vector<float> all;
    for (float value : values) all.push_back(value * 32768);
    return all;
  }
};

TEST_CASE("waveforms are cut from 16-bit samples exactly, at the start or in the centre") {
  Fixture fixture;
  std::vector<float> x(2000);
  fixture.source().read(3, x);
  CHECK(Fixture::numbers(x)[0] == 6000);
  CHECK(Fixture::numbers(x)[1999] == 7999);
  fixture.data.crop = CropPosition::centre;
  fixture.source().read(1, x);
  CHECK(Fixture::numbers(x)[0] == 6000);
  fixture.data.crop = CropPosition::random;  // evaluation takes the centre
  fixture.source().read(1, x);
  CHECK(Fixture::numbers(x)[0] == 6000);
}

TEST_CASE("a random crop lies anywhere, anew in each epoch, the same for the same seed") {
  Fixture fixture;
  fixture.data.crop = CropPosition::random;
  const SegmentSource source = fixture.source();
  std::vector<float> x(2000), y(2000);
  std::set<float> starts;
  float lowest = 1e9F, highest = -1;
  for (int64_t epoch = 0; epoch < 100; ++epoch) {
    for (int64_t i = 0; i < 4; ++i) {
      CHECK(source.draw(i, 1, epoch, x) == 0);
      source.draw(i, 1, epoch, y);
      CHECK(x == y);
      const std::vector<float> numbers = Fixture::numbers(x);
      CHECK(numbers[1999] - numbers[0] == 1999);
      starts.insert(numbers[0]);
      lowest = std::min(lowest, numbers[0]);
      highest = std::max(highest, numbers[0]);
    }
  }
  CHECK(starts.size() > 380);
  CHECK(lowest < 300);
  CHECK(highest > 13'700);
  source.draw(0, 2, 0, x);
  source.draw(0, 1, 0, y);
  CHECK(x != y);
}

TEST_CASE("samples are varied before the frontend, and a shift is told") {
  Fixture fixture;
  fixture.augment.pitch_down = 4;
  fixture.augment.pitch_up = 7;
  fixture.augment.gain_db = 6;
  fixture.augment.noise_snr_db = 60.0;
  const SegmentSource source = fixture.source();
  std::vector<float> x(2000);
  std::set<int64_t> shifts;
  for (int64_t epoch = 0; epoch < 200; ++epoch) {
    const int64_t semitones = source.draw(2, 1, epoch, x);
    shifts.insert(semitones);
    // The ramp's slope: as fast as it is played, as loud as it is.
    const double slope = (static_cast<double>(x[1900]) - x[100]) * 32768 / 1800;
    const double speed = std::exp2(static_cast<double>(semitones) / 12);
    CHECK(slope > 0.95 * speed * std::pow(10, -6.0 / 20));
    CHECK(slope < 1.05 * speed * std::pow(10, 6.0 / 20));
  }
  CHECK(shifts.size() == 12);
  CHECK(*shifts.begin() == -4);
  CHECK(*shifts.rbegin() == 7);
}

TEST_CASE("short clips of samples: left out, zeros, or the clip again") {
  Fixture fixture;
  fixture.data.duration = 3;
  fixture.data.segments = 3;
  const auto shared = std::make_shared<const Frontend>(fixture.frontend);
  ThreadPool pool(1);
  const auto set_with = [&](ShortClips policy) {
    fixture.data.short_clips = policy;
    return std::make_shared<const FeatureSet>(compute_features(read_clips(fixture.folder.path() / "set", fixture.data),
                                                               *shared, fixture.data, pool, {},
                                                               what_to_keep(*shared, false)));
  };
  CHECK(set_with(ShortClips::skip)->segments() == 2);
  CHECK(set_with(ShortClips::skip)->dropped_segments == 1);
  std::vector<float> x(8000);
  const auto padded = set_with(ShortClips::pad);
  CHECK(padded->segments() == 3);
  SegmentSource(padded, {2}, shared, fixture.data, {}).read(0, x);
  CHECK(power(x) == 0);
  const auto repeated = set_with(ShortClips::repeat);
  SegmentSource(repeated, {2}, shared, fixture.data, {}).read(0, x);
  CHECK(Fixture::numbers(x)[7] == 7);
}

}  // namespace
}  // namespace melgrad
