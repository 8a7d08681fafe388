// The features of a signal that comes piece by piece, to the bit those of Frontend::compute() on all of it: recordings of
// any length in a few megabytes.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "audio/frontend.h"

namespace melgrad {

// Bands of frames, in order, as they become known. What is kept is what later frames still read.
class BandStream {
 public:
  // Receives (frames, frontend.bands()), without the logarithm.
  using Sink = std::function<void(const Features& bands)>;

  BandStream(const Frontend& frontend, Sink sink) : frontend_(frontend), sink_(std::move(sink)) {}

  void push(std::span<const float> samples);
  // The frames that read the signal's end. Throws Error if there were too few samples for one.
  void finish();

  float largest() const { return largest_; }  // of all bands so far

 private:
  int64_t ready_frames() const;
  void emit(int64_t end);

  const Frontend& frontend_;
  Sink sink_;
  std::vector<float> samples_;  // number first_ … length_ - 1
  int64_t first_ = 0, length_ = 0;
  int64_t frame_ = 0;  // the next to come
  float largest_ = -HUGE_VALF;
};

// A file's features: `sink` receives them in order, (frames, frontend.bins()) at a time. Where the logarithm needs the
// largest band of the whole file, bands wait for it in an unnamed temporary file. Returns the number of frames. Throws
// Error naming the file.
int64_t stream_features(const std::filesystem::path& audio, const Frontend& frontend,
                        const std::function<void(const Features&)>& sink);

}  // namespace melgrad
