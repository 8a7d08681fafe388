// The pictures: what is drawn where. Somebody has to look at them all the same.
#include "apps/plots/plots.h"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "apps/audio_picture.h"
#include "apps/feature_picture.h"
#include "apps/plots/canvas.h"
#include "kernels/error.h"
#include "tests/apps/program.h"

namespace melgrad::test {
namespace {

using namespace melgrad::plots;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

// A PNG as it comes off the disk.
class Picture {
 public:
  explicit Picture(const std::filesystem::path& path)
      : surface_(cairo_image_surface_create_from_png(path.c_str()), &cairo_surface_destroy) {
    REQUIRE(cairo_surface_status(surface_.get()) == CAIRO_STATUS_SUCCESS);
  }
  int width() const { return cairo_image_surface_get_width(surface_.get()); }
  int height() const { return cairo_image_surface_get_height(surface_.get()); }
  // 0 … 255, the mean of the colours.
  double brightness(int x, int y) const {
    const unsigned char* pixel = cairo_image_surface_get_data(surface_.get()) +
                                 static_cast<std::ptrdiff_t>(y) * cairo_image_surface_get_stride(surface_.get()) +
                                 static_cast<std::ptrdiff_t>(x) * 4;
    return (pixel[0] + pixel[1] + pixel[2]) / 3.0;
  }
  double mean(int left, int top, int right, int bottom) const {
    double sum = 0;
    for (int y = top; y < bottom; ++y)
      for (int x = left; x < right; ++x) sum += brightness(x, y);
    return sum / ((right - left) * (bottom - top));
  }

 private:
  std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)> surface_;
};

AudioPicture audio_picture(std::span<const float> samples, const Matrix& spectrogram, const Matrix& mfcc) {
  return {.title = "clip",
          .samples = samples,
          .sample_rate = 8000,
          .spectrum = {{10, -3}, {100, -20}, {1000, nan}, {4000, -60}},
          .spectrogram = spectrogram,
          .mfcc = mfcc,
          .hop_seconds = 0.016,
          .predictions = {{"jazz", 0.75f}, {"rock", 0.25f}}};
}

TEST_CASE("ticks are 1, 2 or 5 times a power of ten, inside the range, and at most as many as asked") {
  const std::pair<double, double> ranges[] = {{0, 1},       {0, 30},   {-80, 0},    {-0.37, 0.36},
                                              {1e-9, 5e-9}, {0, 1e12}, {-3e5, 7e6}, {99.9, 100.1},
                                              {12, 13},     {0, 0.3},  {5, 5},      {-1e-3, 1e-3}};
  for (const auto& [low, high] : ranges)
    for (int at_most : {1, 2, 5, 7, 12}) {
      CAPTURE(low);
      CAPTURE(high);
      CAPTURE(at_most);
      const Axis axis(low, high, "");
      const std::vector<Tick> ticks = axis.ticks(at_most);
      CHECK(ticks.size() <= static_cast<std::size_t>(at_most) + 1);
      for (const Tick& tick : ticks) {
        CHECK(tick.value >= axis.low() - 1e-9 * std::abs(axis.low()));
        CHECK(tick.value <= axis.high() + 1e-9 * std::abs(axis.high()));
      }
      if (ticks.size() < 2) continue;
      const double step = ticks[1].value - ticks[0].value;
      const double mantissa = step / std::pow(10, std::floor(std::log10(step) + 1e-6));
      CHECK((std::abs(mantissa - 1) < 1e-3 || std::abs(mantissa - 2) < 1e-3 || std::abs(mantissa - 5) < 1e-3));
      for (std::size_t i = 1; i < ticks.size(); ++i) CHECK(ticks[i].label != ticks[i - 1].label);
    }
  const Axis broken(nan, infinity, "");
  CHECK(broken.low() == 0);
  CHECK(broken.high() == 1);
  const std::vector<Tick> decades = Axis(20, 11025, "Hz", true).ticks(12);
  for (const Tick& tick : decades) CHECK(tick.value >= 20);
  CHECK(decades.size() <= 12);
  CHECK(decades.back().label == "10k");
}

TEST_CASE("sequential colours rise in lightness, diverging ones are as light on both sides") {
  const auto lightness = [](ColourMap map, double position) {
    const Colour colour = colour_of(map, position);
    const auto linear = [](double part) { return std::pow(part, 2.2); };
    return 0.2126 * linear(colour.red) + 0.7152 * linear(colour.green) + 0.0722 * linear(colour.blue);
  };
  for (double position = 0.01; position <= 1; position += 0.01) {
    CHECK(lightness(ColourMap::magma, position) > lightness(ColourMap::magma, position - 0.01));
    CHECK(lightness(ColourMap::blues, position) < lightness(ColourMap::blues, position - 0.01));
    const double other = lightness(ColourMap::diverging, 1 - position);
    CHECK(std::abs(lightness(ColourMap::diverging, position) - other) < 0.08);  // hues differ, shades hardly
  }
  CHECK(lightness(ColourMap::diverging, 0.5) > 0.9);
  CHECK(pixel_of(colour_of(ColourMap::magma, nan)) == pixel_of({0.6, 0.6, 0.6}));
  CHECK(pixel_of(colour_of(ColourMap::magma, 7)) == pixel_of(colour_of(ColourMap::magma, 1)));
}

TEST_CASE("a spectrogram has time from left to right and frequency upwards") {
  const TemporaryFolder folder;
  // 60 frames of 64 bins: bin 48 (three quarters up) is loud in the second half.
  std::vector<float> values(60 * 64, -80);
  for (std::size_t frame = 30; frame < 60; ++frame) values[frame * 64 + 48] = 0;
  std::vector<float> samples(8000, 0.0f);  // silence, then noise of full scale
  for (std::size_t i = 4000; i < samples.size(); ++i) samples[i] = i % 2 == 0 ? 1.0f : -1.0f;
  const std::vector<float> mfcc(60 * 13, 1);
  plot_audio(folder / "a.png", audio_picture(samples, {values, 60, 64}, {mfcc, 60, 13}));
  const Picture picture(folder / "a.png");
  CHECK(picture.width() == 1200);
  // The spectrogram's area is (80, 415) with 410 × 210 pixels: see plot_audio.
  const int row = 415 + 210 - static_cast<int>(210 * 48.5 / 64);
  CHECK(picture.brightness(80 + 350, row) > 150);
  CHECK(picture.brightness(80 + 60, row) < 40);
  CHECK(picture.brightness(80 + 350, 415 + 105) < 40);
  // The waveform's is (80, 90) with 470 × 210: white around silence, ink where it is loud.
  CHECK(picture.mean(100, 110, 280, 150) > 230);
  CHECK(picture.mean(350, 110, 530, 150) < 150);
}

TEST_CASE("pictures of what is empty, constant, not a number or very long") {
  const TemporaryFolder folder;
  const std::vector<float> none, one{0.5f}, nans(13 * 4, static_cast<float>(nan)), same(13 * 4, 3);
  for (const std::vector<float>& values : {none, nans, same}) {
    const auto frames = static_cast<int64_t>(values.size() / 13);
    plot_audio(folder / "a.png", audio_picture(one, {values, frames, 13}, {values, frames, 13}));
    plot_feature(folder / "f.png", {.title = "f", .values = {values, frames, 13}, .hop_seconds = 0.01});
    CHECK(Picture(folder / "f.png").width() == 1100);
  }
  plot_audio(folder / "a.png", audio_picture(none, {none, 0, 13}, {none, 0, 13}));

  // Longer than an image of cairo's can be wide; a hole in it stays grey, and late sound is late.
  constexpr int64_t frames = 40'000;
  std::vector<float> values(frames * 4, 0);
  for (std::size_t i = 3 * frames; i < values.size(); ++i) values[i] = 1;
  plot_feature(folder / "long.png", {.title = "long", .values = {values, frames, 4}, .hop_seconds = 0.02});
  const Picture picture(folder / "long.png");
  CHECK(picture.brightness(90 + 800, 235) > 180);
  CHECK(picture.brightness(90 + 200, 235) < 40);
}

TEST_CASE("training curves and confusion") {
  const TemporaryFolder folder;
  plot_training(folder / "t.png", "run", {{"loss", {{1, 2.0}, {2, 1.0}, {3, nan}}, {{1, 2.1}, {2, 1.5}, {3, 1.4}}}}, 2);
  plot_training(folder / "one.png", "one epoch", {{"loss", {{1, 2.0}}, {{1, 2.1}}}}, 1);
  CHECK(Picture(folder / "t.png").width() > 300);
  plot_confusion(folder / "c.png", "c", {"blues", "classical", "a label far longer than the others"},
                 [](int64_t truth, int64_t predicted) { return truth == predicted ? 9 : 1; });
  const Picture picture(folder / "c.png");
  int dark = 0;
  for (int y = 0; y < picture.height(); ++y)
    for (int x = 0; x < picture.width(); ++x) dark += picture.brightness(x, y) < 120;
  CHECK(dark > 3 * 30 * 30);  // three cells of the diagonal
}

TEST_CASE(
    "the picture of a file shows its spectrum and MFCC whatever its network sees: samples, pitches, a grey picture") {
  const TemporaryFolder folder;
  std::vector<float> x;
  for (int i = 0; i < 22050; ++i) x.push_back(0.5F * std::sin(1e-6F * static_cast<float>(i) * static_cast<float>(i)));
  write_wav(folder / "a.wav", x, 22050);
  for (const char* preset : {"waveform", "log-frequency", "key-spectrogram", "fma-mel"}) {
    CAPTURE(preset);
    const FrontendOptions& options = find_preset(preset).options;
    FrontendOptions plain;
    plain.sample_rate = options.sample_rate;
    plain.n_fft = options.n_fft;
    plain.hop = options.hop;
    if (options.pad == EdgePadding::reflect) plain.pad = EdgePadding::reflect;
    draw_audio_picture(folder / "is.png", folder / "a.wav", options, {{"jazz", 0.5F}});
    draw_audio_picture(folder / "should_be.png", folder / "a.wav", plain, {{"jazz", 0.5F}});
    CHECK(file_bytes(folder / "is.png") == file_bytes(folder / "should_be.png"));
  }
}

TEST_CASE("a key spectrogram is drawn upright, powers in decibels") {
  const TemporaryFolder folder;
  Features grey{.frames = 88, .bins = 88, .values = std::vector<float>(88 * 88)};
  for (std::size_t row = 80; row < 88; ++row)  // the lowest frequencies in the first eleventh of the time
    for (std::size_t column = 0; column < 8; ++column) grey.values[row * 88 + column] = 255;
  draw_features(folder / "key.png", "key", find_preset("key-spectrogram").options, grey);
  const Picture key(folder / "key.png");
  CHECK(key.mean(95, 385, 150, 405) > 200);  // lower left
  CHECK(key.mean(95, 65, 150, 85) < 20);
  CHECK(key.mean(890, 385, 950, 405) < 20);

  FrontendOptions powers = find_preset("torchaudio").options;
  Features flat{.frames = 40, .bins = 128, .values = std::vector<float>(40 * 128, 1e-4F)};
  flat.values[0] = 1;
  flat.values[1] = 0;  // the other end of the colours
  draw_features(folder / "powers.png", "powers", powers, flat);
  CHECK(Picture(folder / "powers.png").mean(500, 100, 900, 380) > 60);  // 40 dB below the largest is half way to black
}

TEST_CASE("titles that are no UTF-8, and paths that cannot be written") {
  const TemporaryFolder folder;
  const std::vector<float> values(13, 1);
  for (const char* title : {"M\xC3\xBCller", "\xFF\xFE\x80", "cut \xE2\x82", "line\nbreak\t", "\xED\xA0\x80", ""}) {
    plot_feature(folder / "f.png", {.title = title, .values = {values, 1, 13}, .hop_seconds = 0.01});
    // The axes below the title are there: cairo has not given up.
    CHECK(Picture(folder / "f.png").mean(60, 400, 900, 450) < 254.9);
  }
  const FeaturePicture picture{.title = "f", .values = {values, 1, 13}, .hop_seconds = 0.01};
  CHECK_THROWS_WITH_AS(plot_feature(folder / "nowhere/f.png", picture), doctest::Contains("nowhere/f.png"), Error);
}

}  // namespace
}  // namespace melgrad::test
