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

// The end of a colour scale from 0: 1 for the scores of sigmoids; those of a softmax over many tags are all small.
double top_of(const std::vector<float>& scores) {
  const double largest = scores.empty() ? 0 : *std::ranges::max_element(scores);
  return largest > 0 && largest < 0.5 ? largest : 1;
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

namespace {

constexpr double bar_row = 17, bar_width = 300;

void draw_bar_column(Canvas& canvas, const Rectangle& area, std::span<const TagBar> bars, bool with_legend) {
  Axes axes(canvas, area, Axis(0, 1, "area under the curve"), Axis(0, 1, "").without_ticks(), "");
  for (double value : {0.2, 0.4, 0.6, 0.8}) {
    const double x = area.left + area.width * value;
    canvas.line(std::vector<Point>{{x, area.top}, {x, area.bottom()}}, pale, 1);
  }
  const double thick = bar_row / 2 - 2;
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const double y = area.top + bar_row * static_cast<double>(i);
    if (std::isfinite(bars[i].roc_auc)) canvas.fill({area.left, y + 2, area.width * bars[i].roc_auc, thick}, blue);
    if (std::isfinite(bars[i].pr_auc))
      canvas.fill({area.left, y + bar_row / 2, area.width * bars[i].pr_auc, thick}, orange);
    canvas.text({area.left - 8, y + bar_row / 2}, bars[i].tag, {.size = 11, .anchor = Anchor::end});
  }
  const double chance = area.left + area.width / 2;
  canvas.line(std::vector<Point>{{chance, area.top}, {chance, area.bottom()}}, grey, 1);
  axes.frame();
  if (with_legend) axes.legend({{"ROC", blue}, {"PR", orange}, {"ROC of chance", grey}});
}

}  // namespace

void plot_tag_bars(const std::filesystem::path& path, const std::string& title, const std::vector<TagBar>& bars) {
  constexpr std::size_t most_rows = 63;  // a column of a page that is still read at a glance
  const std::size_t columns = std::max<std::size_t>(1, (bars.size() + most_rows - 1) / most_rows);
  const std::size_t rows = std::max<std::size_t>(1, (bars.size() + columns - 1) / columns);
  std::vector<std::string> names;
  for (const TagBar& bar : bars) names.push_back(bar.tag);
  const double left = widest_of(names) + 30, top = 80, height = bar_row * static_cast<double>(rows);
  const double step = left + bar_width;
  Canvas canvas(static_cast<int>(std::max(step * static_cast<double>(columns) + 40, 560.0)),
                static_cast<int>(top + height + 60));
  canvas.text({20, 30}, title, {.size = 15, .bold = true});
  for (std::size_t column = 0; column < columns; ++column) {
    const std::size_t first = std::min(column * rows, bars.size()), last = std::min(first + rows, bars.size());
    draw_bar_column(canvas, {left + step * static_cast<double>(column), top, bar_width, height},
                    std::span(bars).subspan(first, last - first), column + 1 == columns);
  }
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
  const double top_score = top_of(picture.scores);
  Canvas canvas(static_cast<int>(std::max(area.right(), 560.0) + 100), static_cast<int>(area.bottom() + below));
  canvas.text({20, 30}, picture.title, {.size = 15, .bold = true});
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const Rectangle box{left + cell * static_cast<double>(column), top + cell * static_cast<double>(row), cell, cell};
      const float score = picture.scores[row * columns + column];
      canvas.fill(box, colour_of(ColourMap::blues, static_cast<double>(score) / top_score));
    }
  }
  for (std::size_t i = 0; i < rows * columns; ++i) {
    if (picture.truth[i] != 1) continue;
    const double x = left + cell * static_cast<double>(i % columns), y = top + cell * static_cast<double>(i / columns);
    canvas.frame({x + 1, y + 1, cell - 2, cell - 2}, orange, 2);
  }
  Axes axes(canvas, area, Axis(0, 1, "").without_ticks(), Axis(0, 1, "").without_ticks(), "orange: a label of the clip");
  axes.colour_bar(ColourMap::blues, 0, top_score, "score");
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
            Axis(0, 1, "").without_ticks(), "");
  const double top_score = top_of(picture.scores);
  if (steps > 0) axes.image(image_of(turned, tags, steps, 0, top_score, ColourMap::blues));
  axes.colour_bar(ColourMap::blues, 0, top_score, "score");
  axes.frame();
  if (tags > 0) name_rows(canvas, area, picture.tags);
  canvas.save(path);
}

}  // namespace melgrad::plots
