// From an audio file to the features of its segments: decoded, resampled, cut, analysed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "audio/data_options.h"
#include "audio/frontend.h"

namespace melgrad {

// (segments, frames, bins), contiguous.
struct SegmentFeatures {
  int64_t segments = 0;
  int64_t frames = 0;
  int64_t bins = 0;
  int64_t dropped = 0;  // segments that the clip was too short for
  std::vector<float> values;

  bool operator==(const SegmentFeatures&) const = default;
};

// How clips are cut, in samples at the frontend's rate.
struct Cut {
  int64_t segment_samples;
  int64_t segments;
  int64_t frames;      // of each segment
  bool whole = false;  // a key spectrogram is of all of a file: one segment, as long as the clip

  int64_t clip_samples() const { return segment_samples * segments; }
  // That of a clip of so many samples.
  Cut of(int64_t samples) const { return whole ? Cut{samples, 1, frames, true} : *this; }
};

// Throws Error if a segment is too short to give a frame, and for a key spectrogram in several segments.
Cut make_cut(const Frontend& frontend, const DataOptions& options);

// The first sample of a clip that is used: 0, or what puts the middle into the middle.
int64_t crop_start(int64_t samples, const Cut& cut, const DataOptions& options);
// How many segments a clip of so many samples gives where a segment needs all of its samples, or is filled up.
int64_t whole_pieces(int64_t samples, const Cut& cut, const DataOptions& options);
// `samples`, made `length` long by the policy; unchanged for skip.
std::vector<float> fill_up(std::span<const float> samples, int64_t length, ShortClips policy);
[[noreturn]] void fail_too_short(int64_t samples, const Frontend& frontend, const Cut& cut);

// The first (or middle, also for crop = random) options.duration seconds of a clip in options.segments pieces. Each piece
// is analysed by itself. With short = skip, pieces that do not give the full number of frames are dropped, as the published GTZAN code
// does; Error if none is left. `samples` at the frontend's rate.
SegmentFeatures analyse_clip(std::span<const float> samples, const Frontend& frontend, const DataOptions& options);

// analyse_clip() of a file; no more of it is in memory than the frames need. Throws Error, with the file's name or
// without.
SegmentFeatures analyse_file(const std::filesystem::path& path, const Frontend& frontend, const DataOptions& options);

// What is wrong with an audio file or key picture, in one line without its name; empty if it can be read.
std::string problem_with(const std::filesystem::path& path);

// The part of a file that analyse_clip() takes of all of it, decoded, mono, at the frontend's rate. The whole file is
// decoded, so one that is damaged anywhere is refused; only the part is kept. Throws Error naming the file.
std::vector<float> load_clip(const std::filesystem::path& path, const Frontend& frontend, const DataOptions& options);

// All of a file, decoded, mono, at the rate. Throws Error naming the file.
std::vector<float> load_samples(const std::filesystem::path& path, int64_t sample_rate);

}  // namespace melgrad
