// The inputs of a network, made when they are asked for: features as they are kept, or segments cut from a clip's
// samples, varied or not.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "audio/augment_options.h"
#include "audio/dataset.h"

namespace melgrad {

// Any number of threads may read at once.
class SegmentSource {
 public:
  // Source i gives segment segments[i] of the set.
  SegmentSource(std::shared_ptr<const FeatureSet> set, std::vector<int64_t> segments,
                std::shared_ptr<const Frontend> frontend, const DataOptions& data, const AugmentOptions& augment);

  int64_t size() const { return static_cast<int64_t>(segments_.size()); }
  int64_t values() const { return set_->frames * set_->bins; }  // of one segment

  // Segment i as evaluation sees it: (frames, bins).
  void read(int64_t i, std::span<float> to) const;
  // Segment i as training sees it in `epoch`: cut and varied as the options say, by draws of (seed, epoch, i) alone.
  // Returns by how many semitones it was shifted.
  int64_t draw(int64_t i, uint64_t seed, int64_t epoch, std::span<float> to) const;

  // Changes when a segment's contents or the order change.
  uint64_t fingerprint() const;

 private:
  void analyse(std::span<const float> samples, std::span<float> to) const;
  std::vector<float> cut(const StoredClip& clip, int64_t start, int64_t length) const;

  std::shared_ptr<const FeatureSet> set_;
  std::vector<int64_t> segments_;
  std::shared_ptr<const Frontend> frontend_;
  DataOptions data_;
  AugmentOptions augment_;
  Cut cut_;
};

}  // namespace melgrad
