// The key spectrogram: drawn, written, read back; PNG files of every kind and broken ones.
#include "audio/key_spectrogram.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "audio/frontend.h"
#include "kernels/philox.h"
#include "tensor/io/atomic_file.h"
#include "tests/audio/audio_folder.h"

namespace melgrad {
namespace {

using test::AudioFolder;
using test::error_of;

// Half a minute that glides from 200 to 1,800 Hz, louder and louder.
std::vector<float> glide(int64_t samples) {
  std::vector<float> x;
  double phase = 0;
  for (int64_t i = 0; i < samples; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(samples);
    phase += 2 * std::numbers::pi * (200 + 1600 * share) / 22050;
    x.push_back(static_cast<float>((0.1 + 0.8 * share) * std::sin(phase)));
  }
  return x;
}

std::vector<float> bands_of(const Frontend& frontend, const std::vector<float>& samples) {
  const auto n = static_cast<int64_t>(samples.size());
  std::vector<float> bands(static_cast<std::size_t>(frontend.band_frames_for(n) * frontend.bands()));
  frontend.compute_bands({samples, 0, n}, 0, frontend.band_frames_for(n), bands);
  return bands;
}

TEST_CASE("key spectrogram: in memory the same pixels as through the PNG") {
  const AudioFolder folder;
  const Frontend frontend(frontend_preset("key-spectrogram"));
  for (int64_t samples : {660'000, 30'000, 100, 1}) {
    CAPTURE(samples);
    const std::vector<float> x = glide(samples);
    const Features features = frontend.compute(x);
    CHECK(features.frames == 88);
    CHECK(features.bins == 88);
    CHECK(frontend.frames_for(samples) == 88);
    const RgbImage picture = draw_key_spectrogram(bands_of(frontend, x), frontend.options());
    CHECK(picture.height == 87);
    CHECK(picture.width == 87);
    save_png(folder / "k.png", picture);
    CHECK(load_png(folder / "k.png") == picture);
    CHECK(load_key_spectrogram(folder / "k.png") == features.values);
  }
}

TEST_CASE("key spectrogram: the glide rises from the lower left, and white is the loudest") {
  const Features features = Frontend(frontend_preset("key-spectrogram")).compute(glide(660'000));
  CHECK(*std::ranges::max_element(features.values) == 255);
  CHECK(*std::ranges::min_element(features.values) == 0);
  for (int64_t column : {10, 40, 80}) {
    int64_t brightest = 0;
    for (int64_t row = 0; row < 88; ++row)
      if (features.values[static_cast<std::size_t>(row * 88 + column)] >
          features.values[static_cast<std::size_t>(brightest * 88 + column)])
        brightest = row;
    const double hz = 200 + 1600 * (static_cast<double>(column) + 0.5) / 88;
    CHECK(std::abs(static_cast<double>(brightest) - 88 * (1 - hz / 2100)) <= 1.5);
  }
}

TEST_CASE("key spectrogram: colours lose no level, and decibels are even steps of grey") {
  FrontendOptions options = frontend_preset("key-spectrogram");
  std::vector<float> bands(87 * 87);
  for (std::size_t frame = 0; frame < 87; ++frame)
    for (std::size_t band = 0; band < 87; ++band)
      bands[frame * 87 + band] = static_cast<float>(std::pow(10, -static_cast<double>(frame) / 10));  // 0 … -86 dB
  const std::vector<float> grey = read_grey(draw_key_spectrogram(bands, options));
  for (std::size_t column = 0; column < 88; ++column) {
    const auto frame = static_cast<double>((2 * column + 1) * 87 / 176);
    CHECK(std::abs(grey[column] - std::max(0.0, 255 * (1 - frame / 80))) <= 1);
  }
  options.ref = 10.0;  // all of it 10 dB below
  CHECK(read_grey(draw_key_spectrogram(bands, options))[0] == doctest::Approx(255 * 70. / 80).epsilon(0.005));
  const Features silent = Frontend(frontend_preset("key-spectrogram")).compute(std::vector<float>(5000));
  CHECK(std::ranges::all_of(silent.values, [&](float v) { return v == silent.values[0]; }));
}

TEST_CASE("grey of a picture is Pillow's: integer luma, then the nearest pixel") {
  RgbImage picture{1, 4, {255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3}};
  const std::vector<float> grey = read_grey(picture);
  REQUIRE(grey.size() == 88 * 88);
  for (std::size_t row = 0; row < 88; ++row) {
    CHECK(grey[row * 88] == 76);
    CHECK(grey[row * 88 + 21] == 76);
    CHECK(grey[row * 88 + 22] == 150);
    CHECK(grey[row * 88 + 44] == 29);
    CHECK(grey[row * 88 + 87] == 2);
  }
}

TEST_CASE("PNG: what is no picture is refused by name, and nothing crashes") {
  const AudioFolder folder;
  Generator random(5, Draw::test);
  RgbImage picture{20, 30, std::vector<uint8_t>(1800)};
  for (uint8_t& byte : picture.pixels) byte = static_cast<uint8_t>(random.below(256));
  save_png(folder / "p.png", picture);
  CHECK(load_png(folder / "p.png") == picture);
  const std::string whole = read_file(folder / "p.png");
  const auto refused = [&](const std::string& contents) {
    write_file_atomically(folder / "bad.png", contents);
    const std::string message = error_of([&] { load_png(folder / "bad.png"); });
    CHECK_MESSAGE(message.starts_with((folder / "bad.png").string() + ": "), message);
  };
  for (std::size_t size = 0; size < whole.size() - 12; size += 37) refused(whole.substr(0, size));
  refused("This is no picture.\n");
  std::string large = whole;
  large[16] = 1;  // 16 million pixels wide
  refused(large);
  std::string damaged = whole;
  damaged[whole.size() / 2] ^= 0x55;
  refused(damaged);
  CHECK_FALSE(error_of([&] { load_png(folder / "missing.png"); }).empty());
}

}  // namespace
}  // namespace melgrad
