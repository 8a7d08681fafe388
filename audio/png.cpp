#include "audio/png.h"

#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <string>
#include <string_view>

#include "kernels/error.h"
#include "tensor/io/atomic_file.h"

namespace melgrad {
namespace {

constexpr png_uint_32 largest_side = 4096;

// libpng leaves a failed call by longjmp. So the two functions that call setjmp own nothing, and what they need lives
// here.
struct PngSource {
  std::string_view bytes;
  std::size_t position = 0;
  std::array<char, 128> problem{};
  png_structp png = nullptr;
  png_infop info = nullptr;

  explicit PngSource(std::string_view contents) : bytes(contents) {}
  ~PngSource() { png_destroy_read_struct(&png, &info, nullptr); }
  PngSource(const PngSource&) = delete;
  PngSource& operator=(const PngSource&) = delete;
};

[[noreturn]] void leave(png_structp png, png_const_charp message) {
  auto* source = static_cast<PngSource*>(png_get_error_ptr(png));
  std::strncpy(source->problem.data(), message, source->problem.size() - 1);
  png_longjmp(png, 1);
}

void ignore(png_structp, png_const_charp) {}

void take(png_structp png, png_bytep target, std::size_t size) {
  auto* source = static_cast<PngSource*>(png_get_io_ptr(png));
  if (size > source->bytes.size() - source->position) png_error(png, "the file is cut off");
  std::memcpy(target, source->bytes.data() + source->position, size);
  source->position += size;
}

// Up to the pixels, which will be 8-bit RGB.
bool read_header(PngSource& source) {
  if (setjmp(png_jmpbuf(source.png)) != 0) return false;
  png_set_read_fn(source.png, &source, take);
  png_set_user_limits(source.png, largest_side, largest_side);
  png_read_info(source.png, source.info);
  png_set_expand(source.png);
  png_set_strip_16(source.png);
  png_set_strip_alpha(source.png);
  png_set_gray_to_rgb(source.png);
  png_set_interlace_handling(source.png);
  png_read_update_info(source.png, source.info);
  return true;
}

bool read_rows(PngSource& source, png_bytepp rows) {
  if (setjmp(png_jmpbuf(source.png)) != 0) return false;
  png_read_image(source.png, rows);
  png_read_end(source.png, nullptr);
  return true;
}

}  // namespace

void save_png(const std::filesystem::path& path, const RgbImage& image) {
  require(static_cast<int64_t>(image.pixels.size()) == image.height * image.width * 3,
          "{}: {} bytes for a picture of {} × {}", path.string(), image.pixels.size(), image.height, image.width);
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = PNG_FORMAT_RGB;
  std::string contents;
  png_alloc_size_t size = 0;
  // First how many bytes, then the bytes.
  bool written = png_image_write_to_memory(&header, nullptr, &size, 0, image.pixels.data(), 0, nullptr) != 0;
  if (written) {
    contents.resize(size);
    written = png_image_write_to_memory(&header, contents.data(), &size, 0, image.pixels.data(), 0, nullptr) != 0;
    contents.resize(size);
  }
  require(written, "{}: cannot be written as PNG: {}", path.string(), header.message);
  write_file_atomically(path, contents);
}

RgbImage load_png(const std::filesystem::path& path) {
  constexpr int64_t largest_file = int64_t{1} << 28;
  const std::string contents = read_file(path, largest_file);
  PngSource source(contents);
  source.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, leave, ignore);
  if (source.png != nullptr) source.info = png_create_info_struct(source.png);
  require(source.info != nullptr, "{}: libpng cannot start", path.string());
  const auto check = [&](bool succeeded) {
    require(succeeded, "{}: cannot be read as PNG ({}); replace it", path.string(), source.problem.data());
  };
  check(read_header(source));
  RgbImage image{.height = png_get_image_height(source.png, source.info),
                 .width = png_get_image_width(source.png, source.info),
                 .pixels = {}};
  const std::size_t row_bytes = png_get_rowbytes(source.png, source.info);
  require(row_bytes == static_cast<std::size_t>(image.width) * 3, "{}: {} bytes in a row of {} pixels", path.string(),
          row_bytes, image.width);
  image.pixels.resize(row_bytes * static_cast<std::size_t>(image.height));
  std::vector<png_bytep> rows;
  for (int64_t row = 0; row < image.height; ++row)
    rows.push_back(image.pixels.data() + static_cast<std::size_t>(row) * row_bytes);
  check(read_rows(source, rows.data()));
  return image;
}

}  // namespace melgrad
