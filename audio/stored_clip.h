// What is kept of a clip once it has been decoded: the features of its segments, or its samples as 16-bit integers. In
// memory of its own, or in a mapped file of the cache.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "audio/segments.h"

namespace melgrad {

struct StoredClip {
  // Of features: float (segments, frames, bins). All 0 where samples are kept.
  int64_t segments = 0, frames = 0, bins = 0;
  int64_t dropped = 0;  // segments that the clip was too short for
  // Of samples: so many int16, which times `scale` are the samples; ±1 is full scale.
  int64_t samples = 0;
  float scale = 0;
  uint64_t checksum = 0;  // of the bytes
  std::shared_ptr<const std::byte> data{};

  std::size_t bytes() const {
    return static_cast<std::size_t>(samples) * sizeof(int16_t) +
           static_cast<std::size_t>(segments * frames * bins) * sizeof(float);
  }
  bool empty() const { return data == nullptr; }
  std::span<const float> features() const {
    return {reinterpret_cast<const float*>(data.get()), samples > 0 ? 0 : bytes() / sizeof(float)};
  }
  std::span<const float> segment(int64_t piece) const {
    return features().subspan(static_cast<std::size_t>(piece * frames * bins), static_cast<std::size_t>(frames * bins));
  }
  std::span<const int16_t> pcm() const {
    return {reinterpret_cast<const int16_t*>(data.get()), static_cast<std::size_t>(samples)};
  }
  float sample(int64_t i) const { return scale * static_cast<float>(pcm()[static_cast<std::size_t>(i)]); }
};

StoredClip store_features(SegmentFeatures features);
// Rounded to 16 bit of full scale, or of the largest sample where that is beyond: files of 16 bit at this rate come back
// exactly, others with noise 98 dB below full scale.
StoredClip store_samples(std::span<const float> samples);
// What the integers of samples are times: of a clip whose largest sample is `peak`.
float stored_scale(float peak);
// These samples as they come back.
void round_as_stored(std::span<float> samples, float scale);

// Against accidents, not malice: FNV-1a over words of eight bytes.
uint64_t checksum_of(const void* data, std::size_t bytes);

}  // namespace melgrad
