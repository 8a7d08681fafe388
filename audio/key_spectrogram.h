// The picture of a whole song that a network reads its key from, as published with the Million Song Dataset: a spectrogram
// drawn as an 87 × 87 RGB PNG, which the network's script reads back grey, 88 × 88, with pixel values 0 … 255.
//
// What is published is the size and how it is read. How it is drawn is ours:
// - Spectrum: the options of the preset key-spectrogram (22,050 Hz, Hann window of 8192, hop 4096, power).
// - Rows: fmin … fmax (0 … 2,100 Hz, where the harmonics are that tell a key) in 87 bands of equal width, the lowest at
//   the bottom; each the mean power of its bins.
// - Columns: the song in 87 parts of equal length; each the mean over the frames in it, or the nearest frame.
// - Level: decibels below the largest cell (or below `ref`), from -top_db to 0, as position p in 0 … 1.
// - Colour: black, red, yellow, white: red rises first, then green, then blue, each over the share that it has in the
//   luma (0.299, 0.587, 0.114). So the grey read back is 255 · p within one step, and no level is lost.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "audio/frontend_options.h"
#include "audio/png.h"
#include "kernels/filter_bank.h"

namespace melgrad {

inline constexpr int64_t key_picture_side = 87;  // as drawn
inline constexpr int64_t key_input_side = 88;    // as read

// The 87 bands, over n_fft / 2 + 1 bins.
FilterBank key_bands(const FrontendOptions& options);

// Draws `bands` (frames, 87), powers, at least one frame.
RgbImage draw_key_spectrogram(std::span<const float> bands, const FrontendOptions& options);

// (88, 88), row 0 at the top, values 0 … 255: grey by the integer luma (19595 R + 38470 G + 7471 B + 32768) >> 16, then
// the nearest pixel, as Pillow's convert("L") and resize(…, NEAREST) do. A picture of any size.
std::vector<float> read_grey(const RgbImage& picture);

// The same of a PNG file, such as those in the folders K-M of the msd-key layout. Throws Error naming the file.
std::vector<float> load_key_spectrogram(const std::filesystem::path& path);

}  // namespace melgrad
