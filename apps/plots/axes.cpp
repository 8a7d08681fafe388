#include "apps/plots/axes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace melgrad::plots {
namespace {

constexpr double small = 11;  // of tick labels

// 12000 -> "12k": long numbers crowd an axis.
std::string tick_label(double value, double step) {
  if (std::abs(value) >= 10'000 && std::fmod(value, 1000) == 0) return fmt::format("{}k", value / 1000);
  if (std::abs(value) < step / 1e6) value = 0;
  const int digits = static_cast<int>(std::ceil(-std::log10(step) - 1e-9));
  if (digits > 6) return fmt::format("{:.3g}", value);
  return fmt::format("{:.{}f}", value, std::max(0, digits));
}

std::vector<Tick> linear_ticks(double low, double high, int at_most) {
  const double rough = (high - low) / std::max(1, at_most);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) {
      step = factor * power;
      break;
    }
  }
  std::vector<Tick> ticks;
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i)
    ticks.push_back({i * step, tick_label(i * step, step)});
  return ticks;
}

std::vector<Tick> logarithmic_ticks(double low, double high, int at_most) {
  for (const std::vector<double>& factors : {std::vector<double>{1, 2, 5}, {1, 3}, {1}}) {
    std::vector<Tick> ticks;
    for (double power = std::pow(10, std::floor(std::log10(low))); power <= high; power *= 10)
      for (double factor : factors)
        if (factor * power >= low * (1 - 1e-9) && factor * power <= high * (1 + 1e-9))
          ticks.push_back({factor * power, tick_label(factor * power, factor * power)});
    if (static_cast<int>(ticks.size()) <= at_most) return ticks;
  }
  return {{low, tick_label(low, low)}, {high, tick_label(high, high)}};
}

}  // namespace

Axis::Axis(double low, double high, std::string label, bool logarithmic)
    : low_(low), high_(high), label_(std::move(label)), logarithmic_(logarithmic && low > 0) {
  if (!std::isfinite(low_) || !std::isfinite(high_) || high_ < low_) {
    low_ = 0;
    high_ = 1;
    logarithmic_ = false;
  }
  if (high_ == low_) {  // a constant lies in the middle
    low_ -= 0.5;
    high_ += 0.5;
    logarithmic_ = logarithmic_ && low_ > 0;
  }
}

double Axis::position(double value) const {
  if (logarithmic_) return std::log(value / low_) / std::log(high_ / low_);
  return (value - low_) / (high_ - low_);
}

std::vector<Tick> Axis::ticks(int at_most) const {
  if (bare_ || !own_ticks_.empty()) return own_ticks_;
  return logarithmic_ ? logarithmic_ticks(low_, high_, at_most) : linear_ticks(low_, high_, at_most);
}

Axis& Axis::set_ticks(std::vector<Tick> ticks) {
  own_ticks_ = std::move(ticks);
  return *this;
}

Axis& Axis::without_ticks() {
  own_ticks_.clear();
  bare_ = true;
  return *this;
}

Axes::Axes(Canvas& canvas, Rectangle area, Axis x, Axis y, const std::string& title)
    : canvas_(canvas), area_(area), x_(std::move(x)), y_(std::move(y)) {
  canvas_.text({area_.left, area_.top - 8}, title, {.size = 13, .height = Anchor::end, .bold = true});
}

Point Axes::place(Point value) const {
  return {area_.left + area_.width * x_.position(value.x), area_.bottom() - area_.height * y_.position(value.y)};
}

void Axes::grid() {
  for (const Tick& tick : x_.ticks(static_cast<int>(area_.width / 60))) {
    const double x = place({tick.value, y_.low()}).x;
    canvas_.line(std::vector<Point>{{x, area_.top}, {x, area_.bottom()}}, pale, 1);
  }
  for (const Tick& tick : y_.ticks(static_cast<int>(area_.height / 30))) {
    const double y = place({x_.low(), tick.value}).y;
    canvas_.line(std::vector<Point>{{area_.left, y}, {area_.right(), y}}, pale, 1);
  }
}

void Axes::frame() {
  canvas_.frame(area_, grey, 1);
  for (const Tick& tick : x_.ticks(static_cast<int>(area_.width / 60))) {
    const double x = place({tick.value, y_.low()}).x;
    canvas_.line(std::vector<Point>{{x, area_.bottom()}, {x, area_.bottom() + 4}}, grey, 1);
    canvas_.text({x, area_.bottom() + 8}, tick.label,
                 {.size = small, .anchor = Anchor::middle, .height = Anchor::start});
  }
  double widest = 0;
  for (const Tick& tick : y_.ticks(static_cast<int>(area_.height / 30))) {
    const double y = place({x_.low(), tick.value}).y;
    canvas_.line(std::vector<Point>{{area_.left - 4, y}, {area_.left, y}}, grey, 1);
    canvas_.text({area_.left - 8, y}, tick.label, {.size = small, .anchor = Anchor::end});
    widest = std::max(widest, canvas_.text_width(tick.label, {.size = small}));
  }
  canvas_.text({area_.left + area_.width / 2, area_.bottom() + 26}, x_.label(),
               {.anchor = Anchor::middle, .height = Anchor::start});
  canvas_.text({area_.left - widest - 22, area_.top + area_.height / 2}, y_.label(),
               {.anchor = Anchor::middle, .upward = true});
}

void Axes::line(std::span<const Point> points, Colour colour, double thickness) {
  std::vector<Point> placed;
  for (const Point& point : points) placed.push_back(place(point));
  const Canvas::Clip clip(canvas_, area_);
  canvas_.line(placed, colour, thickness);
}

void Axes::band(std::span<const double> x, std::span<const double> low, std::span<const double> high, Colour colour) {
  const Canvas::Clip clip(canvas_, area_);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Point top = place({x[i], high[i]}), bottom = place({x[i], low[i]});
    if (!std::isfinite(top.y) || !std::isfinite(bottom.y)) continue;
    // At least a hair, or silence would not be seen.
    canvas_.line(std::vector<Point>{{top.x, top.y - 0.5}, {bottom.x, bottom.y + 0.5}}, colour, 1.2);
  }
}

void Axes::colour_bar(ColourMap map, double low, double high, const std::string& label) {
  const Rectangle bar{area_.right() + 14, area_.top, 14, area_.height};
  Image image{256, 1, std::vector<uint32_t>(256)};
  for (std::size_t i = 0; i < 256; ++i) image.pixels[i] = pixel_of(colour_of(map, 1 - static_cast<double>(i) / 255));
  canvas_.image(bar, image);
  canvas_.frame(bar, grey, 1);
  const Axis axis(low, high, label);
  double widest = 0;
  for (const Tick& tick : axis.ticks(static_cast<int>(area_.height / 30))) {
    const double y = bar.bottom() - bar.height * axis.position(tick.value);
    canvas_.line(std::vector<Point>{{bar.right(), y}, {bar.right() + 4, y}}, grey, 1);
    canvas_.text({bar.right() + 7, y}, tick.label, {.size = small});
    widest = std::max(widest, canvas_.text_width(tick.label, {.size = small}));
  }
  canvas_.text({bar.right() + widest + 20, bar.top + bar.height / 2}, label,
               {.anchor = Anchor::middle, .upward = true});
}

void Axes::legend(const std::vector<std::pair<std::string, Colour>>& entries) {
  double right = area_.right();
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    right -= canvas_.text_width(entry->first, {.size = small});
    canvas_.text({right, area_.top - 8}, entry->first, {.size = small, .height = Anchor::end});
    canvas_.line(std::vector<Point>{{right - 24, area_.top - 12}, {right - 6, area_.top - 12}}, entry->second, 2);
    right -= 40;
  }
}

}  // namespace melgrad::plots
