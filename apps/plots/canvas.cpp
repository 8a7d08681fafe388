#include "apps/plots/canvas.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>

#include "kernels/error.h"
#include "kernels/utf8.h"
#include "tensor/io/atomic_file.h"

#ifdef __SANITIZE_ADDRESS__
// fontconfig, behind cairo, keeps what it has read of the fonts until the process ends.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libfontconfig\n";
}
#endif

namespace melgrad::plots {
namespace {

void check(cairo_status_t status, const char* what) {
  require(status == CAIRO_STATUS_SUCCESS, "plot: {}: {}", what, cairo_status_to_string(status));
}

cairo_status_t append(void* bytes, const unsigned char* data, unsigned int length) {
  static_cast<std::string*>(bytes)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

}  // namespace

Canvas::Canvas(int width, int height)
    : width_(width),
      height_(height),
      surface_(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height), &cairo_surface_destroy),
      context_(cairo_create(surface_.get()), &cairo_destroy) {
  check(cairo_status(cairo()), "cannot make a page");
  fill({0, 0, width_, height_}, white);
  cairo_set_line_join(cairo(), CAIRO_LINE_JOIN_ROUND);
}

void Canvas::line(std::span<const Point> points, Colour colour, double thickness) {
  set(colour);
  cairo_set_line_width(cairo(), thickness);
  cairo_new_path(cairo());
  bool down = false;
  for (const Point& point : points) {
    const bool finite = std::isfinite(point.x) && std::isfinite(point.y);
    if (finite) down ? cairo_line_to(cairo(), point.x, point.y) : cairo_move_to(cairo(), point.x, point.y);
    down = finite;
  }
  cairo_stroke(cairo());
}

void Canvas::fill(const Rectangle& rectangle, Colour colour) {
  set(colour);
  cairo_rectangle(cairo(), rectangle.left, rectangle.top, rectangle.width, rectangle.height);
  cairo_fill(cairo());
}

void Canvas::frame(const Rectangle& rectangle, Colour colour, double thickness) {
  set(colour);
  cairo_set_line_width(cairo(), thickness);
  cairo_rectangle(cairo(), rectangle.left, rectangle.top, rectangle.width, rectangle.height);
  cairo_stroke(cairo());
}

void Canvas::set_font(const TextStyle& style) {
  cairo_select_font_face(cairo(), "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                         style.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(cairo(), style.size);
}

double Canvas::text_width(const std::string& text, const TextStyle& style) {
  set_font(style);
  cairo_text_extents_t extents;
  cairo_text_extents(cairo(), printable(text).c_str(), &extents);  // cairo gives up on text that is not UTF-8
  return extents.x_advance;
}

void Canvas::text(Point at, const std::string& text, const TextStyle& style) {
  const double width = text_width(text, style);
  const auto share = [](Anchor anchor) { return anchor == Anchor::start ? 0.0 : anchor == Anchor::middle ? 0.5 : 1.0; };
  // The height of capitals, not of this text: labels of one row then stand on one line.
  const double capital = 0.73 * style.size;
  set(style.colour);
  cairo_save(cairo());
  cairo_translate(cairo(), at.x, at.y);
  if (style.upward) cairo_rotate(cairo(), -std::acos(0.0));
  cairo_move_to(cairo(), -share(style.anchor) * width, (1 - share(style.height)) * capital);
  cairo_show_text(cairo(), printable(text).c_str());
  cairo_restore(cairo());
}

void Canvas::image(const Rectangle& rectangle, const Image& image) {
  if (image.rows == 0 || image.columns == 0) return;
  const auto columns = static_cast<int>(image.columns), rows = static_cast<int>(image.rows);
  std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)> source(
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, columns, rows), &cairo_surface_destroy);
  check(cairo_surface_status(source.get()), "cannot make an image");
  unsigned char* data = cairo_image_surface_get_data(source.get());
  const int stride = cairo_image_surface_get_stride(source.get());
  for (int row = 0; row < rows; ++row)
    std::memcpy(data + static_cast<std::ptrdiff_t>(row) * stride, image.pixels.data() + row * image.columns,
                static_cast<std::size_t>(columns) * 4);
  cairo_surface_mark_dirty(source.get());
  cairo_save(cairo());
  cairo_rectangle(cairo(), rectangle.left, rectangle.top, rectangle.width, rectangle.height);
  cairo_clip(cairo());
  cairo_translate(cairo(), rectangle.left, rectangle.top);
  cairo_scale(cairo(), rectangle.width / columns, rectangle.height / rows);
  cairo_set_source_surface(cairo(), source.get(), 0, 0);
  const bool shrinks = columns > rectangle.width || rows > rectangle.height;
  cairo_pattern_set_filter(cairo_get_source(cairo()), shrinks ? CAIRO_FILTER_GOOD : CAIRO_FILTER_NEAREST);
  cairo_paint(cairo());
  cairo_restore(cairo());
}

Canvas::Clip::Clip(Canvas& canvas, const Rectangle& rectangle) : canvas_(canvas) {
  cairo_save(canvas_.cairo());
  cairo_rectangle(canvas_.cairo(), rectangle.left, rectangle.top, rectangle.width, rectangle.height);
  cairo_clip(canvas_.cairo());
}

Canvas::Clip::~Clip() {
  cairo_restore(canvas_.cairo());
}

void Canvas::save(const std::filesystem::path& path) const {
  check(cairo_status(cairo()), "cannot draw");
  cairo_surface_flush(surface_.get());
  std::string png;
  check(cairo_surface_write_to_png_stream(surface_.get(), append, &png), "cannot make a PNG");
  write_file_atomically(path, png);
}

}  // namespace melgrad::plots
