// Numbers to colours whose lightness rises evenly, so that equal steps look equal and a grey print still reads.
#pragma once

#include "apps/plots/canvas.h"

namespace melgrad::plots {

enum class ColourMap {
  magma,      // dark to light: spectrograms
  blues,      // white to dark blue: counts
  diverging,  // blue, white, red around the middle: MFCC
};

// `position` 0 … 1; values outside are clamped, and what is not a number is grey.
Colour colour_of(ColourMap map, double position);
uint32_t pixel_of(Colour colour);  // 0xRRGGBB

// A row-major (rows, columns) matrix as an image, `low` to `high`; rows turned so that row 0 is at the bottom.
Image image_of(std::span<const float> values, int64_t rows, int64_t columns, double low, double high, ColourMap map);

}  // namespace melgrad::plots
