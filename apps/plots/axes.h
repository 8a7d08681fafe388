// Axes: a framed area with ticks, labels and data in it.
#pragma once

#include "apps/plots/colour_map.h"

namespace melgrad::plots {

struct Tick {
  double value;
  std::string label;
};

// One axis: a range of values along a side. Ticks are 1, 2 or 5 times a power of ten; on a logarithmic axis 1, 2 and 5
// of each decade, as many as fit.
class Axis {
 public:
  // An empty or endless range becomes 0 … 1.
  Axis(double low, double high, std::string label, bool logarithmic = false);

  double low() const { return low_; }
  double high() const { return high_; }
  const std::string& label() const { return label_; }
  // Where a value lies: 0 at `low`, 1 at `high`.
  double position(double value) const;
  std::vector<Tick> ticks(int at_most) const;
  // Instead of computed ones: bands of a mel axis, names of classes.
  Axis& set_ticks(std::vector<Tick> ticks);
  Axis& without_ticks();

 private:
  double low_, high_;
  std::string label_;
  bool logarithmic_;
  std::vector<Tick> own_ticks_;
  bool bare_ = false;
};

class Axes {
 public:
  Axes(Canvas& canvas, Rectangle area, Axis x, Axis y, const std::string& title);

  void grid();   // pale lines at the ticks; before the data
  void frame();  // the frame, ticks and labels; after the data
  void line(std::span<const Point> points, Colour colour, double thickness = 1.5);
  // From `low` to `high` at each x, for signals with more samples than the page has pixels.
  void band(std::span<const double> x, std::span<const double> low, std::span<const double> high, Colour colour);
  void image(const Image& image) { canvas_.image(area_, image); }
  // To the right of the area: which colours mean what.
  void colour_bar(ColourMap map, double low, double high, const std::string& label);
  void legend(const std::vector<std::pair<std::string, Colour>>& entries);

  Point place(Point value) const;
  const Rectangle& area() const { return area_; }

 private:
  Canvas& canvas_;
  Rectangle area_;
  Axis x_, y_;
};

}  // namespace melgrad::plots
