// Canvas: a white page that becomes a PNG, on cairo. Coordinates in pixels, from the top left.
#pragma once

#include <cairo.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace melgrad::plots {

struct Colour {
  double red = 0, green = 0, blue = 0, alpha = 1;  // 0 … 1, sRGB
};

inline constexpr Colour black{0.13, 0.13, 0.15};
inline constexpr Colour grey{0.45, 0.45, 0.48};
inline constexpr Colour pale{0.90, 0.90, 0.92};
inline constexpr Colour white{1, 1, 1};
inline constexpr Colour blue{0.12, 0.35, 0.65};
inline constexpr Colour orange{0.85, 0.40, 0.10};

struct Point {
  double x, y;
};

struct Rectangle {
  double left, top, width, height;
  double right() const { return left + width; }
  double bottom() const { return top + height; }
};

enum class Anchor { start, middle, end };

struct TextStyle {
  double size = 12;
  Colour colour = black;
  Anchor anchor = Anchor::start;   // along the text
  Anchor height = Anchor::middle;  // start: `at` is the top; end: the baseline
  bool bold = false;
  bool upward = false;  // turned by 90 degrees, reading from the bottom to the top
};

// An image of (rows, columns) pixels with colours, row 0 at the top.
struct Image {
  int64_t rows = 0, columns = 0;
  std::vector<uint32_t> pixels;  // 0xRRGGBB
};

class Canvas {
 public:
  Canvas(int width, int height);

  double width() const { return width_; }
  double height() const { return height_; }

  // A NaN among the points interrupts the line.
  void line(std::span<const Point> points, Colour colour, double thickness);
  void fill(const Rectangle& rectangle, Colour colour);
  void frame(const Rectangle& rectangle, Colour colour, double thickness);
  // What is no UTF-8, and control characters, are drawn as question marks.
  void text(Point at, const std::string& text, const TextStyle& style);
  double text_width(const std::string& text, const TextStyle& style);
  // Stretched over the rectangle: smoothly where it has more pixels than the page, as squares where fewer.
  void image(const Rectangle& rectangle, const Image& image);

  // While it lives, nothing is drawn outside the rectangle.
  class Clip {
   public:
    Clip(Canvas& canvas, const Rectangle& rectangle);
    ~Clip();
    Clip(const Clip&) = delete;
    Clip& operator=(const Clip&) = delete;

   private:
    Canvas& canvas_;
  };

  // Written atomically. Throws Error naming the file.
  void save(const std::filesystem::path& path) const;

 private:
  void set(Colour colour) { cairo_set_source_rgba(cairo(), colour.red, colour.green, colour.blue, colour.alpha); }
  void set_font(const TextStyle& style);
  cairo_t* cairo() const { return context_.get(); }

  double width_, height_;
  std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)> surface_;
  std::unique_ptr<cairo_t, decltype(&cairo_destroy)> context_;
};

}  // namespace melgrad::plots
