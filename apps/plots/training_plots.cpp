// Pictures of training: plot_training and plot_confusion.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/plots/plots.h"

namespace melgrad::plots {
namespace {

void draw_curve(Canvas& canvas, const Rectangle& area, const TrainingCurve& curve, int64_t best_epoch) {
  double low = 0, high = 0, last = 1;
  for (const auto* points : {&curve.train, &curve.valid})
    for (const Point& point : *points) {
      if (std::isfinite(point.y)) high = std::max(high, point.y);
      last = std::max(last, point.x);
    }
  Axes axes(canvas, area, {std::min(1.0, last), last, "epoch"}, {low, high * 1.05, curve.name}, curve.name);
  axes.grid();
  const double best = static_cast<double>(best_epoch);
  axes.line(std::vector<Point>{{best, low}, {best, high * 1.05}}, grey, 1);
  axes.line(curve.train, blue, 2);
  axes.line(curve.valid, orange, 2);
  axes.frame();
  axes.legend({{"training", blue}, {"validation", orange}, {"best", grey}});
}

}  // namespace

void plot_training(const std::filesystem::path& path, const std::string& title,
                   const std::vector<TrainingCurve>& curves, int64_t best_epoch) {
  Canvas canvas(static_cast<int>(20 + 560 * curves.size()), 420);
  canvas.text({40, 30}, title, {.size = 16, .bold = true});
  double left = 80;
  for (const TrainingCurve& curve : curves) {
    draw_curve(canvas, {left, 90, 460, 260}, curve, best_epoch);
    left += 560;
  }
  canvas.save(path);
}

void plot_confusion(const std::filesystem::path& path, const std::string& title, const std::vector<std::string>& labels,
                    const std::function<int64_t(int64_t truth, int64_t predicted)>& count) {
  const auto classes = static_cast<int64_t>(labels.size());
  const double cell = std::clamp(560.0 / static_cast<double>(std::max<int64_t>(classes, 1)), 26.0, 70.0);
  const double side = cell * static_cast<double>(classes);
  double widest = 0;
  {
    Canvas measure(1, 1);
    for (const std::string& label : labels) widest = std::max(widest, measure.text_width(label, {}));
  }
  const double left = widest + 60, top = 70;
  Canvas canvas(static_cast<int>(left + side + 40), static_cast<int>(top + side + widest + 60));
  canvas.text({20, 30}, title, {.size = 15, .bold = true});
  for (int64_t truth = 0; truth < classes; ++truth) {
    int64_t total = 0;
    for (int64_t predicted = 0; predicted < classes; ++predicted) total += count(truth, predicted);
    const double y = top + cell * static_cast<double>(truth);
    canvas.text({left - 10, y + cell / 2}, labels[static_cast<std::size_t>(truth)], {.anchor = Anchor::end});
    for (int64_t predicted = 0; predicted < classes; ++predicted) {
      const int64_t n = count(truth, predicted);
      const double share = total == 0 ? 0 : static_cast<double>(n) / static_cast<double>(total);
      const double x = left + cell * static_cast<double>(predicted);
      canvas.fill({x, y, cell, cell}, colour_of(ColourMap::blues, share));
      if (n > 0) {
        canvas.text(
            {x + cell / 2, y + cell / 2}, std::to_string(n),
            {.size = std::min(14.0, cell * 0.45), .colour = share > 0.5 ? white : black, .anchor = Anchor::middle});
      }
    }
  }
  for (int64_t i = 1; i < classes; ++i) {
    const double at = cell * static_cast<double>(i);
    canvas.line(std::vector<Point>{{left + at, top}, {left + at, top + side}}, pale, 1);
    canvas.line(std::vector<Point>{{left, top + at}, {left + side, top + at}}, pale, 1);
  }
  canvas.frame({left, top, side, side}, grey, 1);
  for (int64_t predicted = 0; predicted < classes; ++predicted) {
    canvas.text({left + cell * (static_cast<double>(predicted) + 0.5), top + side + 10},
                labels[static_cast<std::size_t>(predicted)], {.anchor = Anchor::end, .upward = true});
  }
  canvas.text({left + side / 2, top + side + widest + 34}, "predicted", {.anchor = Anchor::middle});
  canvas.text({20, top + side / 2}, "truth", {.anchor = Anchor::middle, .upward = true});
  canvas.save(path);
}

}  // namespace melgrad::plots
