// Pictures of what a network has learned or looks at.
#include <algorithm>

#include "apps/plots/plots.h"

namespace melgrad::plots {
namespace {

// (frames, bins), time-major, as an image with time from left to right and bin 0 at the bottom.
Image upright(const Matrix& matrix, double low, double high, ColourMap map) {
  std::vector<float> turned(matrix.values.size());
  for (int64_t frame = 0; frame < matrix.frames; ++frame)
    for (int64_t bin = 0; bin < matrix.bins; ++bin)
      turned[static_cast<std::size_t>(bin * matrix.frames + frame)] =
          matrix.values[static_cast<std::size_t>(frame * matrix.bins + bin)];
  return image_of(turned, matrix.bins, matrix.frames, low, high, map);
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
  Canvas canvas(1000, 620);
  canvas.text({20, 30}, picture.title, {.size = 15, .bold = true});
  const auto [low, high] = range_of(picture.features.values);
  const auto panel = [&](double top, const Matrix& matrix, double from, double to, ColourMap map, const char* title,
                         const char* unit) {
    Axes axes(canvas, {90, top, 780, 200}, Axis(0, picture.seconds, "seconds"),
              Axis(0, static_cast<double>(matrix.bins), "bin"), title);
    axes.image(upright(matrix, from, to, map));
    axes.colour_bar(map, from, to, unit);
    axes.frame();
  };
  panel(80, picture.features, low, high, ColourMap::magma, "what the network sees", "value");
  panel(360, picture.activation, 0, 1, ColourMap::magma, "where it speaks for the class", "share of the largest");
  canvas.save(path);
}

void plot_sheet(const std::filesystem::path& path, const SheetPicture& picture) {
  constexpr int64_t across = 4;
  const auto count = static_cast<int64_t>(picture.sheets.size());
  const int64_t rows = std::max<int64_t>(1, (count + across - 1) / across);
  Canvas canvas(1200, static_cast<int>(70 + 250 * rows));
  canvas.text({20, 30}, picture.title, {.size = 15, .bold = true});
  for (int64_t i = 0; i < count; ++i) {
    const auto& [name, matrix] = picture.sheets[static_cast<std::size_t>(i)];
    const Rectangle area{70 + 285 * static_cast<double>(i % across), 80 + 250 * static_cast<double>(i / across), 220,
                         160};
    const auto [low, high] = range_of(matrix.values);
    Axes axes(canvas, area, Axis(0, picture.seconds, "seconds"), Axis(0, static_cast<double>(matrix.bins), "bin"), "");
    canvas.text({area.left, area.top - 8}, name, {.size = 11, .height = Anchor::end});
    axes.image(upright(matrix, low, high, ColourMap::magma));
    axes.frame();
  }
  canvas.save(path);
}

}  // namespace melgrad::plots
