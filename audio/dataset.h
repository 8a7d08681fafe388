// A data set's clips, decoded, cut and analysed (or found in the cache), the bad ones named.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "audio/reader.h"
#include "audio/segments.h"
#include "audio/stored_clip.h"

namespace melgrad {

class ThreadPool;

struct SkippedClip {
  std::string name;      // within the data set
  std::string reason;    // one line
  bool missing = false;  // whether there is no such file
};

// What is to be kept of each clip.
struct Keep {
  bool features = true;
  bool samples = false;
};

struct FeatureSet {
  int64_t frames = 0;
  int64_t bins = 0;
  std::vector<Clip> clips;           // the usable ones, in the reader's order
  std::vector<StoredClip> features;  // (clips), or empty where they are not kept
  std::vector<StoredClip> samples;   // likewise
  std::vector<int32_t> clip;         // (segments): index into `clips`
  std::vector<int32_t> piece;        // (segments): which of its clip's segments
  std::vector<SkippedClip> skipped;
  int64_t dropped_segments = 0;  // pieces of usable clips that the clip was too short for
  int64_t from_cache = 0;        // clips

  int64_t segments() const { return static_cast<int64_t>(clip.size()); }
  const std::vector<int32_t>& labels(int64_t segment) const {
    return clips[static_cast<std::size_t>(clip[static_cast<std::size_t>(segment)])].labels;
  }
  std::vector<float> values() const;  // all features: (segments, frames, bins)
};

// Called after each clip, by one thread at a time.
using ClipProgress = std::function<void(int64_t done, int64_t total)>;

// What training needs of a data set: waveforms are cut from samples and have no features.
Keep what_to_keep(const Frontend& frontend, bool samples_change);

// The same for any number of threads, and whether or not the cache had the clips. A clip that cannot be used is skipped
// and listed with the reason. Pictures (.png) are key spectrograms, made already. Throws Error if no clip can be used,
// or if the cache cannot be written.
FeatureSet compute_features(const ClipList& list, const Frontend& frontend, const DataOptions& options,
                            ThreadPool& pool, const ClipProgress& progress = {}, Keep keep = {});

}  // namespace melgrad
