#include "bench/report/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace melgrad::bench {
namespace {

using namespace melgrad::plots;

// Series and families: distinct in hue and in lightness, ours first.
constexpr Colour palette[] = {{0.12, 0.35, 0.65}, {0.85, 0.40, 0.10}, {0.93, 0.70, 0.35},
                              {0.20, 0.55, 0.35}, {0.55, 0.35, 0.60}, {0.45, 0.45, 0.48}};

Colour colour_of_series(std::size_t index) {
  return palette[index % std::size(palette)];
}

void dot(Canvas& canvas, Point at, Colour colour) {
  constexpr double size = 6;
  canvas.fill({at.x - size / 2, at.y - size / 2, size, size}, colour);
}

// The next power of ten below or above, so that all points lie within.
double power_below(double value) {
  return std::pow(10, std::floor(std::log10(value)));
}
double power_above(double value) {
  return std::pow(10, std::ceil(std::log10(value)));
}

// A line of small squares with their names.
void legend(Canvas& canvas, Point at, const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    dot(canvas, {at.x + 3, at.y}, colour_of_series(i));
    canvas.text({at.x + 12, at.y}, names[i], {.size = 11});
    at.x += canvas.text_width(names[i], {.size = 11}) + 34;
  }
}

void draw_roof(Axes& axes, Canvas& canvas, const Ceilings& ceilings, double low, double high) {
  const double flops = ceilings.fma / 1e9;
  const auto slope = [&](double bytes, Colour colour) {
    const double ridge = ceilings.fma / bytes;
    axes.line(std::vector<Point>{{low, low * bytes / 1e9}, {ridge, flops}}, colour, 2);
  };
  slope(ceilings.read, grey);
  slope(ceilings.copy, black);
  axes.line(std::vector<Point>{{ceilings.fma / std::max(ceilings.copy, ceilings.read), flops}, {high, flops}}, black,
            2);
  canvas.text({axes.area().right() - 6, axes.place({high, flops}).y - 9},
              fmt::format("multiply-adds {:.0f} GFLOP/s", flops), {.size = 11, .anchor = Anchor::end});
  canvas.text({axes.area().left + 8, axes.area().top + 14},
              fmt::format("memory: {:.0f} GB/s copied (black), {:.0f} read (grey), {:.0f} written", ceilings.copy / 1e9,
                          ceilings.read / 1e9, ceilings.write / 1e9),
              {.size = 11});
}

}  // namespace

void plot_roofline(const std::filesystem::path& path, const std::string& title, const Ceilings& ceilings,
                   const std::vector<std::string>& families, const std::vector<RooflinePoint>& points) {
  double left = 0.1, right = 100, bottom = 1, top = ceilings.fma / 1e9;
  for (const RooflinePoint& point : points) {
    left = std::min(left, point.intensity);
    right = std::max(right, point.intensity);
    bottom = std::min(bottom, point.flops / 1e9);
    top = std::max(top, point.flops / 1e9);
  }
  left = power_below(left), right = power_above(right);
  Canvas canvas(980, 640);
  canvas.text({60, 26}, title, {.size = 15, .bold = true});
  legend(canvas, {80, 52}, families);
  Axes axes(canvas, {80, 76, 860, 500}, {left, right, "flop/B", true},
            {power_below(bottom), power_above(top), "GFLOP/s", true}, "");
  axes.grid();
  draw_roof(axes, canvas, ceilings, left, right);
  for (const RooflinePoint& point : points) {
    const Point at = axes.place({point.intensity, point.flops / 1e9});
    dot(canvas, at, colour_of_series(point.family));
    if (!point.labelled) continue;
    const bool crowded = at.x > axes.area().right() - 150;
    canvas.text({at.x + (crowded ? -7 : 7), at.y}, point.name,
                {.size = 9, .colour = grey, .anchor = crowded ? Anchor::end : Anchor::start});
  }
  axes.frame();
  canvas.save(path);
}

void plot_bars(const std::filesystem::path& path, const BarPicture& picture) {
  constexpr double thickness = 13, gap = 12, width = 620;
  double low = 1e300, high = 0, widest = 0, height = 0;
  {
    Canvas measure(1, 1);
    for (const BarGroup& group : picture.groups) {
      widest = std::max(widest, measure.text_width(group.name, {}));
      height += thickness * static_cast<double>(group.bars.size()) + gap;
      for (const Bar& bar : group.bars) {
        low = std::min({low, bar.value, bar.low});
        high = std::max({high, bar.value, bar.high});
      }
    }
  }
  if (picture.mark > 0) low = std::min(low, picture.mark), high = std::max(high, picture.mark);
  const double left = widest + 40, top = 92;
  Canvas canvas(static_cast<int>(left + width + 90), static_cast<int>(top + height + 70));
  canvas.text({20, 26}, picture.title, {.size = 15, .bold = true});
  legend(canvas, {left, 54}, picture.series);
  const double first = picture.logarithmic ? power_below(low) : 0;
  Axes axes(canvas, {left, top, width, height},
            {first, picture.logarithmic ? high * 1.3 : high * 1.1, picture.axis, picture.logarithmic},
            Axis(0, 1, "").set_ticks({{-1, ""}}), "");
  for (const Tick& tick :
       Axis(first, picture.logarithmic ? high * 1.3 : high * 1.1, "", picture.logarithmic).ticks(9)) {
    const double x = axes.place({tick.value, 0}).x;
    canvas.line(std::vector<Point>{{x, top}, {x, top + height}}, pale, 1);
    canvas.text({x, top + height + 8}, tick.label, {.size = 11, .anchor = Anchor::middle, .height = Anchor::start});
  }
  canvas.text({left + width / 2, top + height + 30}, picture.axis, {.anchor = Anchor::middle, .height = Anchor::start});
  double y = top + gap / 2;
  for (const BarGroup& group : picture.groups) {
    canvas.text({left - 10, y + thickness * static_cast<double>(group.bars.size()) / 2}, group.name,
                {.anchor = Anchor::end});
    for (const Bar& bar : group.bars) {
      const double end = axes.place({bar.value, 0}).x, middle = y + thickness / 2;
      canvas.fill({left, y + 1, end - left, thickness - 2}, colour_of_series(bar.series));
      double label = end;
      if (bar.high > bar.low) {
        const double from = axes.place({bar.low, 0}).x, to = axes.place({bar.high, 0}).x;
        canvas.line(std::vector<Point>{{from, middle}, {to, middle}}, black, 1);
        label = std::max(end, to);
      }
      canvas.text({label + 6, middle}, fmt::format("{:.3g}", bar.value), {.size = 10, .colour = grey});
      y += thickness;
    }
    y += gap;
  }
  if (picture.mark > 0) {
    const double x = axes.place({picture.mark, 0}).x;
    canvas.line(std::vector<Point>{{x, top}, {x, top + height}}, black, 1.5);
  }
  canvas.frame({left, top, width, height}, grey, 1);
  canvas.save(path);
}

}  // namespace melgrad::bench
