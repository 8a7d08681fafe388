#include "audio/key_spectrogram.h"

#include <algorithm>
#include <cmath>

#include "kernels/error.h"

namespace melgrad {
namespace {

// (87, 87): the mean power of each column's frames, time-major.
std::vector<double> mean_cells(std::span<const float> bands, int64_t frames) {
  std::vector<double> cells(static_cast<std::size_t>(key_picture_side * key_picture_side));
  for (int64_t column = 0; column < key_picture_side; ++column) {
    const int64_t begin = column * frames / key_picture_side;
    const int64_t end = std::max(begin + 1, (column + 1) * frames / key_picture_side);
    for (int64_t band = 0; band < key_picture_side; ++band) {
      double sum = 0;
      for (int64_t frame = begin; frame < end; ++frame)
        sum += static_cast<double>(bands[static_cast<std::size_t>(frame * key_picture_side + band)]);
      cells[static_cast<std::size_t>(column * key_picture_side + band)] = sum / static_cast<double>(end - begin);
    }
  }
  return cells;
}

uint8_t byte_of(double part) {
  return static_cast<uint8_t>(std::lround(std::clamp(part, 0.0, 1.0) * 255));
}

// The colour whose luma is `level`, 0 … 1.
void paint(double level, uint8_t* pixel) {
  constexpr double red = 0.299, green = 0.587, blue = 0.114;
  pixel[0] = byte_of(level / red);
  pixel[1] = byte_of((level - red) / green);
  pixel[2] = byte_of((level - red - green) / blue);
}

// Where each of 88 pixels lies among `size`. Pillow adds the step up rather than multiplying it, which shows where a
// pixel lies on the border of two.
std::vector<int64_t> nearest_pixels(int64_t size) {
  const double step = static_cast<double>(size) / static_cast<double>(key_input_side);
  double place = step * 0.5;
  std::vector<int64_t> pixels;
  for (int64_t i = 0; i < key_input_side; ++i) {
    pixels.push_back(std::min(static_cast<int64_t>(place), size - 1));
    place += step;
  }
  return pixels;
}

}  // namespace

FilterBank key_bands(const FrontendOptions& options) {
  const int64_t bins = options.n_fft / 2 + 1;
  const double hz_per_bin = static_cast<double>(options.sample_rate) / static_cast<double>(options.n_fft);
  const double width = (options.fmax_hz() - options.fmin) / static_cast<double>(key_picture_side);
  std::vector<float> weights(static_cast<std::size_t>(key_picture_side * bins));
  for (int64_t band = 0; band < key_picture_side; ++band) {
    const double low = options.fmin + width * static_cast<double>(band);
    // The bins from `low` up to the next band's; a band with none takes the one nearest to its middle.
    auto first = static_cast<int64_t>(std::ceil(low / hz_per_bin));
    int64_t end = std::min(bins, static_cast<int64_t>(std::ceil((low + width) / hz_per_bin)));
    if (first >= end) {
      first = std::clamp<int64_t>(std::llround((low + width / 2) / hz_per_bin), 0, bins - 1);
      end = first + 1;
    }
    for (int64_t k = first; k < end; ++k)
      weights[static_cast<std::size_t>(band * bins + k)] = 1.0F / static_cast<float>(end - first);
  }
  return FilterBank(weights, key_picture_side, bins);
}

RgbImage draw_key_spectrogram(std::span<const float> bands, const FrontendOptions& options) {
  const auto frames = static_cast<int64_t>(bands.size()) / key_picture_side;
  require(frames >= 1 && static_cast<int64_t>(bands.size()) == frames * key_picture_side,
          "key spectrogram: {} values are no frames of {} bands", bands.size(), key_picture_side);
  const std::vector<double> cells = mean_cells(bands, frames);
  const double largest = *std::ranges::max_element(cells);
  const double reference = std::max(options.amin, options.ref.value_or(largest));
  RgbImage picture{key_picture_side, key_picture_side, std::vector<uint8_t>(cells.size() * 3)};
  for (int64_t row = 0; row < key_picture_side; ++row) {
    for (int64_t column = 0; column < key_picture_side; ++column) {
      const int64_t band = key_picture_side - 1 - row;
      const double power = cells[static_cast<std::size_t>(column * key_picture_side + band)];
      const double db = 10 * std::log10(std::max(options.amin, power) / reference);
      const auto pixel = static_cast<std::size_t>((row * key_picture_side + column) * 3);
      paint(1 + db / options.top_db.value_or(0), &picture.pixels[pixel]);
    }
  }
  return picture;
}

std::vector<float> read_grey(const RgbImage& picture) {
  require(picture.height >= 1 && picture.width >= 1, "key spectrogram: a picture of {} × {} pixels", picture.height,
          picture.width);
  const std::vector<int64_t> rows = nearest_pixels(picture.height), columns = nearest_pixels(picture.width);
  std::vector<float> grey;
  grey.reserve(rows.size() * columns.size());
  for (const int64_t row : rows) {
    for (const int64_t column : columns) {
      const uint8_t* pixel = picture.pixels.data() + (row * picture.width + column) * 3;
      grey.push_back(static_cast<float>((19595 * pixel[0] + 38470 * pixel[1] + 7471 * pixel[2] + 32768) >> 16));
    }
  }
  return grey;
}

std::vector<float> load_key_spectrogram(const std::filesystem::path& path) {
  return read_grey(load_png(path));
}

}  // namespace melgrad
