// A file's segments one after the other, of the length that the segments of a data set have: recordings of any length in
// the memory of one segment.
#pragma once

#include <filesystem>
#include <vector>

#include "audio/decode.h"
#include "audio/resample.h"
#include "audio/segments.h"

namespace melgrad {

// Pieces of the same length from the file's start; a last one that gives fewer frames is dropped. A file shorter than one
// piece is filled up as options.short_clips says; skip is an Error. A key spectrogram is one piece of the whole file.
// Waveforms come rounded to 16 bit as a data set keeps them (audio/stored_clip.h), for which the file is read twice.
class SegmentReader {
 public:
  // `frontend` outlives it. Throws Error, as next() does, naming the file.
  SegmentReader(const std::filesystem::path& path, const Frontend& frontend, const DataOptions& options);

  // The features (frames, bins) of the next segment; false after the last.
  bool next(std::vector<float>& features);

  int64_t frames() const { return cut_.frames; }

 private:
  void read_ahead();
  bool next_picture(std::vector<float>& features);

  std::filesystem::path path_;
  const Frontend& frontend_;
  DataOptions options_;
  Cut cut_;
  AudioStream audio_;
  Resampler resampler_;
  float scale_ = 0;             // of stored samples, or 0 where they are not rounded
  std::vector<float> samples_;  // at the frontend's rate, from the next segment's first on
  bool ended_ = false;
  int64_t read_ = 0;  // segments
};

}  // namespace melgrad
