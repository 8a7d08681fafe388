// Pictures of taggers: bars, curves and scores.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/plots/plots.h"

namespace melgrad::plots {
namespace {

double widest_of(const std::vector<std::string>& texts) {
  Canvas measure(1, 1);
  double widest = 0;
  for (const std::string& text : texts) widest = std::max(widest, measure.text_width(text, {}));
  return widest;
}

// Column labels below a matrix, reading upwards.
void name_columns(Canvas& canvas, const Rectangle& area, const std::vector<std::string>& names) {
  const double cell = area.width / static_cast<double>(names.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    canvas.text({area.left + cell * (static_cast<double>(i) + 0.5), area.bottom() + 8}, names[i],
                {.size = 11, .anchor = Anchor::end, .upward = true});
}

void name_rows(Canvas& canvas, const Rectangle& area, const std::vector<std::string>& names) {
  const double cell = area.height / static_cast<double>(names.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    canvas.text({area.left - 8, area.top + cell * (static_cast<double>(i) + 0.5)}, names[i],
                {.size = 11, .anchor = Anchor::end});
}

}  // namespace

void plot_tag_bars(const std::filesystem::path& path, const std::string& title, const std::vector<TagBar>& bars) {
  std::vector<std::string> names;
  for (const TagBar& bar : bars) names.push_back(bar.tag);
  const double row = 17, left = widest_of(names) + 30, top = 80, width = 520;
  const double height = row * static_cast<double>(std::max<std::size_t>(bars.size(), 1));
  Canvas canvas(static_cast<int>(left + width + 40), static_cast<int>(top + height + 60));
  canvas.text({20, 30}, title, {.size = 15, .bold = true});
  const Rectangle area{left, top, width, height};
  Axes axes(canvas, area, Axis(0, 1, "area under the curve"), Axis(0, 1, "").set_ticks({}), "");
  for (double value : {0.2, 0.4, 0.6, 0.8}) {
    const double x = left + width * value;
    canvas.line(std::vector<Point>{{x, top}, {x, top + height}}, pale, 1);
  }
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const double y = top + row * static_cast<double>(i);
    if (std::isfinite(bars[i].roc_auc)) canvas.fill({left, y + 2, width * bars[i].roc_auc, row / 2 - 2}, blue);
    if (std::isfinite(bars[i].pr_auc)) canvas.fill({left, y + row / 2, width * bars[i].pr_auc, row / 2 - 2}, orange);
  }
  const double chance = left + width / 2;
  canvas.line(std::vector<Point>{{chance, top}, {chance, top + height}}, grey, 1);
  if (!bars.empty()) name_rows(canvas, area, names);
  axes.frame();
  axes.legend({{"ROC", blue}, {"PR", orange}, {"ROC of chance", grey}});
  canvas.save(path);
}

void plot_top_k(const std::filesystem::path& path, const std::string& title, const std::vector<ShareCurve>& holding,
                const std::vector<double>& precision) {
  Canvas canvas(760, 470);
  canvas.text({20, 30}, title, {.size = 15, .bold = true});
  const double last = static_cast<double>(std::max<std::size_t>(precision.size(), 2));
  Axes axes(canvas, {80, 90, 520, 310}, Axis(1, last, "K"), Axis(0, 1, "share of clips"),
            "clips whose top K hold at least p of their labels");
  axes.grid();
  const auto curve = [&](const std::vector<double>& values, Colour colour, const std::string& name, double place) {
    std::vector<Point> points;
    for (std::size_t i = 0; i < values.size(); ++i) points.push_back({static_cast<double>(i + 1), values[i]});
    axes.line(points, colour, 2);
    const double y = 100 + 22 * place;
    canvas.line(std::vector<Point>{{618, y}, {640, y}}, colour, 2);
    canvas.text({648, y}, name, {.size = 11});
  };
  for (std::size_t i = 0; i < holding.size(); ++i) {
    const double place = holding.size() < 2 ? 0 : static_cast<double>(i) / static_cast<double>(holding.size() - 1);
    curve(holding[i].share, colour_of(ColourMap::magma, 0.8 - 0.65 * place), fmt::format("p = {:g}", holding[i].p),
          static_cast<double>(i));
  }
  curve(precision, grey, "precision at K", static_cast<double>(holding.size()) + 1);
  axes.frame();
  canvas.save(path);
}

void plot_labels(const std::filesystem::path& path, const LabelPicture& picture) {
  const auto rows = picture.clips.size(), columns = picture.tags.size();
  const double cell = std::clamp(900.0 / static_cast<double>(std::max<std::size_t>(columns, 1)), 12.0, 28.0);
  const double left = widest_of(picture.clips) + 40, below = widest_of(picture.tags) + 30, top = 70;
  const Rectangle area{left, top, cell * static_cast<double>(columns), cell * static_cast<double>(rows)};
  Canvas canvas(static_cast<int>(std::max(area.right(), 560.0) + 100), static_cast<int>(area.bottom() + below));
  canvas.text({20, 30}, picture.title, {.size = 15, .bold = true});
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const Rectangle box{left + cell * static_cast<double>(column), top + cell * static_cast<double>(row), cell, cell};
      const float score = picture.scores[row * columns + column];
      canvas.fill(box, colour_of(ColourMap::blues, static_cast<double>(score)));
    }
  }
  for (std::size_t i = 0; i < rows * columns; ++i) {
    if (picture.truth[i] != 1) continue;
    const double x = left + cell * static_cast<double>(i % columns), y = top + cell * static_cast<double>(i / columns);
    canvas.frame({x + 1, y + 1, cell - 2, cell - 2}, orange, 2);
  }
  Axes axes(canvas, area, Axis(0, 1, "").set_ticks({}), Axis(0, 1, "").set_ticks({}), "orange: a label of the clip");
  axes.colour_bar(ColourMap::blues, 0, 1, "score");
  canvas.frame(area, grey, 1);
  name_rows(canvas, area, picture.clips);
  name_columns(canvas, area, picture.tags);
  canvas.save(path);
}

void plot_over_time(const std::filesystem::path& path, const TimePicture& picture) {
  const auto tags = static_cast<int64_t>(picture.tags.size());
  const int64_t steps = tags == 0 ? 0 : static_cast<int64_t>(picture.scores.size()) / tags;
  const double left = widest_of(picture.tags) + 40, row = 20;
  const Rectangle area{left, 70, 760, row * static_cast<double>(std::max<int64_t>(tags, 1))};
  Canvas canvas(static_cast<int>(area.right() + 100), static_cast<int>(area.bottom() + 60));
  canvas.text({20, 30}, picture.title, {.size = 15, .bold = true});
  // Rows of the picture are tags; image_of puts row 0 at the bottom, the first tag belongs on top.
  std::vector<float> turned(picture.scores.size());
  for (int64_t step = 0; step < steps; ++step)
    for (int64_t tag = 0; tag < tags; ++tag)
      turned[static_cast<std::size_t>((tags - 1 - tag) * steps + step)] =
          picture.scores[static_cast<std::size_t>(step * tags + tag)];
  Axes axes(canvas, area, Axis(0, static_cast<double>(steps) * picture.step_seconds, "seconds"),
            Axis(0, 1, "").set_ticks({}), "");
  if (steps > 0) axes.image(image_of(turned, tags, steps, 0, 1, ColourMap::blues));
  axes.colour_bar(ColourMap::blues, 0, 1, "score");
  axes.frame();
  if (tags > 0) name_rows(canvas, area, picture.tags);
  canvas.save(path);
}

}  // namespace melgrad::plots
