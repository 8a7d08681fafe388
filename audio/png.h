// Small pictures as PNG files, through libpng: pixels come back as they were written, with no colour management.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace melgrad {

struct RgbImage {
  int64_t height = 0;
  int64_t width = 0;
  std::vector<uint8_t> pixels;  // (height, width, 3), row 0 at the top

  bool operator==(const RgbImage&) const = default;
};

// 8 bits a channel. Written atomically; throws Error naming the file.
void save_png(const std::filesystem::path& path, const RgbImage& image);

// Any PNG of at most 4096 × 4096 pixels: palettes are looked up, greys become three equal channels, transparency and all
// but the upper 8 bits of deep channels are left out. Throws Error naming the file for what is missing, damaged or no
// PNG.
RgbImage load_png(const std::filesystem::path& path);

}  // namespace melgrad
