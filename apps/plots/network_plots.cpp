// Pictures of what a network has learned or looks at.
#include <algorithm>

#include "apps/plots/plots.h"

namespace melgrad::plots {
namespace {

// With time from left to right and bin 0 at the bottom; a picture as it is.
Image upright(const Matrix& matrix, double low, double high, ColourMap map) {
  const int64_t rows = matrix.picture ? matrix.frames : matrix.bins;
  const int64_t columns = matrix.picture ? matrix.bins : matrix.frames;
  std::vector<float> turned(matrix.values.size());
  for (int64_t row = 0; row < rows; ++row)  // from the bottom
    for (int64_t column = 0; column < columns; ++column)
      turned[static_cast<std::size_t>(row * columns + column)] = matrix.values[static_cast<std::size_t>(
          matrix.picture ? (rows - 1 - row) * columns + column : column * rows + row)];
  return image_of(turned, rows, columns, low, high, map);
}

std::pair<double, double> range_of(std::span<const float> values) {
  if (values.empty()) return {0, 1};
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {*low, *high};
}

}  // namespace

void plot_filters(const std::filesystem::path& path, const FilterPicture& picture) {
  Canvas canvas(900, 480);
  canvas.text({20, 30}, picture.title, {.size = 15, .bold = true});
  Axes axes(canvas, {90, 70, 680, 340}, Axis(0, static_cast<double>(picture.filters), "filter, lowest frequency first"),
            Axis(0, picture.nyquist, "Hz"), "");
  axes.image(upright({picture.responses, picture.filters, picture.bins}, 0, 1, ColourMap::magma));
  axes.colour_bar(ColourMap::magma, 0, 1, "magnitude, each filter's largest 1");
  axes.frame();
  canvas.save(path);
}

void plot_class_activation(const std::filesystem::path& path, const ActivationPicture& picture) {
  Canvas canvas(1000, 900);
  canvas.text({20, 30}, picture.title, {.size = 15, .bold = true});
  const auto [low, high] = range_of(picture.features.values);
  const auto panel = [&](double top, const Matrix& matrix, double from, double to, const char* title,
                         const char* unit) {
    const auto bins = static_cast<double>(matrix.picture ? matrix.frames : matrix.bins);
    const auto columns = static_cast<double>(matrix.picture ? matrix.bins : matrix.frames);
    Axes axes(canvas, {90, top, 780, 200},
              picture.seconds > 0 ? Axis(0, picture.seconds, "seconds") : Axis(0, columns, "column"),
              Axis(0, bins, matrix.picture ? "pixel" : "bin"), title);
    axes.image(upright(matrix, from, to, ColourMap::magma));
    axes.colour_bar(ColourMap::magma, from, to, unit);
    axes.frame();
  };
  std::vector<float> lit(picture.features.values.begin(), picture.features.values.end());
  for (std::size_t i = 0; i < lit.size() && i < picture.activation.values.size(); ++i)
    lit[i] = static_cast<float>(low + (lit[i] - low) * picture.activation.values[i]);
  panel(80, picture.features, low, high, "what the network sees", "value");
  panel(360, picture.activation, 0, 1, "where it speaks for the class", "share of the largest");
  panel(640, {lit, picture.features.frames, picture.features.bins, picture.features.picture}, low, high,
        "what speaks for the class", "value");
  canvas.save(path);
}

void plot_sheet(const std::filesystem::path& path, const SheetPicture& picture) {
  constexpr int64_t across = 4;
  const auto count = static_cast<int64_t>(picture.sheets.size());
  const int64_t rows = std::max<int64_t>(1, (count + across - 1) / across);
  Canvas canvas(static_cast<int>(60 + 285 * std::clamp<int64_t>(count, 1, across)), static_cast<int>(70 + 250 * rows));
  canvas.text({20, 30}, picture.title, {.size = 15, .bold = true});
  for (int64_t i = 0; i < count; ++i) {
    const auto& [name, matrix, seconds] = picture.sheets[static_cast<std::size_t>(i)];
    const Rectangle area{70 + 285 * static_cast<double>(i % across), 80 + 250 * static_cast<double>(i / across), 220,
                         160};
    const auto [low, high] = range_of(matrix.values);
    const auto bins = static_cast<double>(matrix.picture ? matrix.frames : matrix.bins);
    Axes axes(canvas, area, Axis(0, seconds, "seconds"), Axis(0, bins, matrix.picture ? "pixel" : "bin"), "");
    canvas.text({area.left, area.top - 8}, name, {.size = 11, .height = Anchor::end});
    axes.image(upright(matrix, low, high, ColourMap::magma));
    axes.frame();
  }
  canvas.save(path);
}

}  // namespace melgrad::plots
