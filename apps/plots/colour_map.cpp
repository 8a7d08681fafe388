#include "apps/plots/colour_map.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace melgrad::plots {
namespace {

struct Anchors {
  std::span<const std::array<double, 3>> colours;  // evenly spaced
};

// Nine samples of matplotlib's magma (van der Walt and Smith 2015, released under CC0).
constexpr std::array<std::array<double, 3>, 9> magma{{{0.001, 0.000, 0.014},
                                                      {0.110, 0.066, 0.277},
                                                      {0.317, 0.072, 0.485},
                                                      {0.512, 0.148, 0.508},
                                                      {0.716, 0.215, 0.475},
                                                      {0.904, 0.319, 0.388},
                                                      {0.987, 0.535, 0.382},
                                                      {0.997, 0.769, 0.534},
                                                      {0.987, 0.991, 0.750}}};
constexpr std::array<std::array<double, 3>, 4> blues{
    {{0.97, 0.98, 1.00}, {0.70, 0.81, 0.92}, {0.29, 0.53, 0.77}, {0.06, 0.24, 0.47}}};
constexpr std::array<std::array<double, 3>, 5> diverging{
    {{0.11, 0.31, 0.60}, {0.55, 0.71, 0.86}, {0.97, 0.97, 0.97}, {0.93, 0.62, 0.50}, {0.66, 0.11, 0.16}}};

std::span<const std::array<double, 3>> anchors_of(ColourMap map) {
  switch (map) {
    case ColourMap::magma:
      return magma;
    case ColourMap::blues:
      return blues;
    case ColourMap::diverging:
      return diverging;
  }
  return magma;
}

}  // namespace

Colour colour_of(ColourMap map, double position) {
  if (std::isnan(position)) return {0.6, 0.6, 0.6};
  const auto anchors = anchors_of(map);
  const double place = std::clamp(position, 0.0, 1.0) * static_cast<double>(anchors.size() - 1);
  const std::size_t below = std::min(static_cast<std::size_t>(place), anchors.size() - 2);
  const double share = place - static_cast<double>(below);
  const auto mix = [&](std::size_t i) { return anchors[below][i] * (1 - share) + anchors[below + 1][i] * share; };
  return {mix(0), mix(1), mix(2)};
}

uint32_t pixel_of(Colour colour) {
  const auto byte = [](double part) { return static_cast<uint32_t>(std::lround(std::clamp(part, 0.0, 1.0) * 255)); };
  return byte(colour.red) << 16 | byte(colour.green) << 8 | byte(colour.blue);
}

Image image_of(std::span<const float> values, int64_t rows, int64_t columns, double low, double high, ColourMap map) {
  Image image{rows, columns, std::vector<uint32_t>(static_cast<std::size_t>(rows * columns))};
  const double range = high > low ? high - low : 1;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column) {
      const double value = values[static_cast<std::size_t>(row * columns + column)];
      image.pixels[static_cast<std::size_t>((rows - 1 - row) * columns + column)] =
          pixel_of(colour_of(map, std::isfinite(value) ? (value - low) / range : NAN));
    }
  return image;
}

}  // namespace melgrad::plots
