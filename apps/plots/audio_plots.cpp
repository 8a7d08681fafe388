// Pictures of sound: plot_audio and plot_feature.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/plots/plots.h"

namespace melgrad::plots {
namespace {

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
};

Range range_of(std::span<const float> values) {
  Range range;
  for (float value : values) {
    if (!std::isfinite(value)) continue;
    range.low = std::min<double>(range.low, value);
    range.high = std::max<double>(range.high, value);
  }
  return range.low <= range.high ? range : Range{0, 1};
}

constexpr int64_t most_columns = 4096;  // of an image: more than any page shows, and far below what cairo can hold

// The mean of a bin's finite values over frames begin … end; NaN if there is none.
double mean_of(const Matrix& matrix, int64_t bin, int64_t begin, int64_t end) {
  double sum = 0;
  int64_t count = 0;
  for (int64_t frame = begin; frame < end; ++frame) {
    const float value = matrix.values[static_cast<std::size_t>(frame * matrix.bins + bin)];
    if (!std::isfinite(value)) continue;
    sum += value;
    ++count;
  }
  return count == 0 ? NAN : sum / static_cast<double>(count);
}

// (frames, bins) in time order to an image of bins over time.
Image turned(const Matrix& matrix, double low, double high, ColourMap map) {
  const int64_t columns = std::min(matrix.frames, most_columns);
  std::vector<float> transposed(static_cast<std::size_t>(matrix.bins * columns));
  for (int64_t column = 0; column < columns; ++column)
    for (int64_t bin = 0; bin < matrix.bins; ++bin)
      transposed[static_cast<std::size_t>(bin * columns + column)] = static_cast<float>(
          mean_of(matrix, bin, column * matrix.frames / columns, (column + 1) * matrix.frames / columns));
  return image_of(transposed, matrix.bins, columns, low, high, map);
}

double seconds_of(const Matrix& matrix, double hop_seconds) {
  return static_cast<double>(matrix.frames) * hop_seconds;
}

void draw_waveform(Canvas& canvas, const Rectangle& area, std::span<const float> samples, int64_t sample_rate,
                   const std::string& title) {
  const double seconds = static_cast<double>(samples.size()) / static_cast<double>(sample_rate);
  const Range range = range_of(samples);
  const double peak = std::max({std::abs(range.low), std::abs(range.high), 1e-3});
  Axes axes(canvas, area, {0, seconds, "seconds"}, {-1.05 * peak, 1.05 * peak, "amplitude"}, title);
  axes.grid();
  // One stroke a column of pixels, from the least to the largest sample in it.
  const auto columns = static_cast<std::size_t>(area.width);
  std::vector<double> x, low, high;
  for (std::size_t column = 0; column < columns; ++column) {
    const std::size_t begin = samples.size() * column / columns;
    const std::size_t end = std::max(begin + 1, samples.size() * (column + 1) / columns);
    if (begin >= samples.size()) break;
    const auto [least, largest] =
        std::minmax_element(samples.begin() + static_cast<std::ptrdiff_t>(begin),
                            samples.begin() + static_cast<std::ptrdiff_t>(std::min(end, samples.size())));
    x.push_back(seconds * (static_cast<double>(column) + 0.5) / static_cast<double>(columns));
    low.push_back(*least);
    high.push_back(*largest);
  }
  axes.band(x, low, high, blue);
  axes.frame();
}

void draw_spectrum(Canvas& canvas, const Rectangle& area, const AudioPicture& picture) {
  double top = -std::numeric_limits<double>::infinity();
  for (const Point& point : picture.spectrum) top = std::max(top, point.y);
  if (!std::isfinite(top)) top = 0;
  const double nyquist = static_cast<double>(picture.sample_rate) / 2;
  Axes axes(canvas, area, {std::min(20.0, nyquist / 10), nyquist, "Hz", true}, {top - 80, top + 3, "dB"},
            "Magnitude spectrum, mean over the file");
  axes.grid();
  axes.line(picture.spectrum, blue, 1.2);
  axes.frame();
}

void draw_spectrogram(Canvas& canvas, const Rectangle& area, const AudioPicture& picture) {
  const Range range = range_of(picture.spectrogram.values);
  const double low = std::max(range.low, range.high - 80);
  Axes axes(canvas, area, {0, seconds_of(picture.spectrogram, picture.hop_seconds), "seconds"},
            {0, static_cast<double>(picture.sample_rate) / 2, "Hz"}, "Log spectrogram");
  axes.image(turned(picture.spectrogram, low, range.high, ColourMap::magma));
  axes.frame();
  axes.colour_bar(ColourMap::magma, low, range.high, "dB");
}

// The first coefficient is the loudness, far from zero; the scale is that of the others, but for the wildest of them.
double mfcc_scale(const Matrix& mfcc) {
  std::vector<float> sizes;
  for (std::size_t i = 0; i < mfcc.values.size(); ++i)
    if (i % static_cast<std::size_t>(mfcc.bins) != 0 && std::isfinite(mfcc.values[i]))
      sizes.push_back(std::abs(mfcc.values[i]));
  if (sizes.empty()) return 1;
  const auto most = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() * 95 / 100);
  std::nth_element(sizes.begin(), most, sizes.end());
  return std::max(1.0f, *most);
}

std::vector<Tick> number_ticks(int64_t count) {
  std::vector<Tick> ticks;
  const int64_t step = std::max<int64_t>(1, (count + 6) / 7);
  for (int64_t i = 0; i < count; i += step) ticks.push_back({static_cast<double>(i) + 0.5, std::to_string(i)});
  return ticks;
}

void draw_mfcc(Canvas& canvas, const Rectangle& area, const AudioPicture& picture) {
  const double scale = mfcc_scale(picture.mfcc);
  Axes axes(canvas, area, {0, seconds_of(picture.mfcc, picture.hop_seconds), "seconds"},
            Axis(0, static_cast<double>(picture.mfcc.bins), "coefficient").set_ticks(number_ticks(picture.mfcc.bins)),
            "MFCC");
  axes.image(turned(picture.mfcc, -scale, scale, ColourMap::diverging));
  axes.frame();
  axes.colour_bar(ColourMap::diverging, -scale, scale, "value");
}

void draw_predictions(Canvas& canvas, const Rectangle& area,
                      const std::vector<std::pair<std::string, float>>& predictions) {
  canvas.text({area.left, area.top - 8}, "Prediction", {.size = 13, .height = Anchor::end, .bold = true});
  double widest = 0;
  for (const auto& [label, probability] : predictions) widest = std::max(widest, canvas.text_width(label, {}));
  const double left = area.left + widest + 12, full = area.right() - left - 50;
  const double row = std::min(24.0, area.height / static_cast<double>(predictions.size()));
  double y = area.top;
  for (const auto& [label, probability] : predictions) {
    canvas.text({left - 12, y + row / 2}, label, {.anchor = Anchor::end});
    canvas.fill({left, y + 0.15 * row, full, 0.7 * row}, pale);
    canvas.fill({left, y + 0.15 * row, full * static_cast<double>(probability), 0.7 * row}, orange);
    canvas.text({left + full + 8, y + row / 2}, fmt::format("{:.3f}", probability), {.size = 11});
    y += row;
  }
}

}  // namespace

void plot_audio(const std::filesystem::path& path, const AudioPicture& picture) {
  const bool predicts = !picture.predictions.empty();
  const int bars = predicts ? static_cast<int>(picture.predictions.size()) * 24 + 60 : 0;
  Canvas canvas(1200, 700 + bars);
  canvas.text({40, 34}, picture.title, {.size = 17, .bold = true});
  constexpr double left = 80, right = 670, first = 90, second = 415, width = 410, height = 210;
  draw_waveform(canvas, {left, first, width + 60, height}, picture.samples, picture.sample_rate, "Waveform");
  draw_spectrum(canvas, {right, first, width + 60, height}, picture);
  draw_spectrogram(canvas, {left, second, width, height}, picture);
  draw_mfcc(canvas, {right, second, width, height}, picture);
  if (predicts) {
    const double rows = static_cast<double>(picture.predictions.size()) * 24;
    draw_predictions(canvas, {left, 715, right + width + 60 - left, rows}, picture.predictions);
  }
  canvas.save(path);
}

void plot_feature(const std::filesystem::path& path, const FeaturePicture& picture) {
  Canvas canvas(1100, 480);
  const Rectangle area{90, 60, 870, 350};
  const Range range = range_of(picture.values.values);
  double low = range.low, high = range.high;
  const ColourMap map = picture.around_zero ? ColourMap::diverging : ColourMap::magma;
  if (picture.around_zero) {
    high = mfcc_scale(picture.values);
    low = -high;
  }
  Axis bins(0, static_cast<double>(picture.values.bins), picture.axis_label);
  bins.set_ticks(picture.ticks.empty() ? number_ticks(picture.values.bins) : picture.ticks);
  Axes axes(canvas, area, {0, seconds_of(picture.values, picture.hop_seconds), picture.time_label}, bins,
            picture.title);
  axes.image(turned(picture.values, low, high, map));
  axes.frame();
  axes.colour_bar(map, low, high, picture.value_label);
  canvas.save(path);
}

void plot_waveform(const std::filesystem::path& path, const std::string& title, std::span<const float> samples,
                   int64_t sample_rate) {
  Canvas canvas(1100, 380);
  draw_waveform(canvas, {90, 60, 960, 250}, samples, sample_rate, title);
  canvas.save(path);
}

}  // namespace melgrad::plots
