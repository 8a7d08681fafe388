#include "audio/stored_clip.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace melgrad {
namespace {

// A shared pointer to the bytes of a vector that it keeps.
template <class T>
std::shared_ptr<const std::byte> keep(std::vector<T> values) {
  const auto owner = std::make_shared<const std::vector<T>>(std::move(values));
  return {owner, reinterpret_cast<const std::byte*>(owner->data())};
}

constexpr float full_scale = 32768, largest = 32767;

int16_t as_integer(float sample, float scale) {
  return static_cast<int16_t>(std::clamp(std::nearbyint(sample / scale), -full_scale, largest));
}

}  // namespace

float stored_scale(float peak) {
  return peak * full_scale > largest && peak > 1 ? peak / largest : 1 / full_scale;
}

void round_as_stored(std::span<float> samples, float scale) {
  for (float& sample : samples) sample = scale * static_cast<float>(as_integer(sample, scale));
}

StoredClip store_features(SegmentFeatures features) {
  StoredClip stored{.segments = features.segments,
                    .frames = features.frames,
                    .bins = features.bins,
                    .dropped = features.dropped,
                    .data = keep(std::move(features.values))};
  stored.checksum = checksum_of(stored.data.get(), stored.bytes());
  return stored;
}

StoredClip store_samples(std::span<const float> samples) {
  float peak = 0;
  for (const float sample : samples) peak = std::max(peak, std::abs(sample));
  const float scale = stored_scale(peak);
  std::vector<int16_t> values;
  values.reserve(samples.size());
  for (const float sample : samples) values.push_back(as_integer(sample, scale));
  StoredClip stored{.samples = static_cast<int64_t>(values.size()), .scale = scale, .data = keep(std::move(values))};
  stored.checksum = checksum_of(stored.data.get(), stored.bytes());
  return stored;
}

uint64_t checksum_of(const void* data, std::size_t bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  const auto* byte = static_cast<const unsigned char*>(data);
  for (; bytes >= 8; byte += 8, bytes -= 8) {
    uint64_t word;
    std::memcpy(&word, byte, 8);
    hash = (hash ^ word) * 0x100000001b3;
    hash ^= hash >> 29;
  }
  for (; bytes > 0; ++byte, --bytes) hash = (hash ^ *byte) * 0x100000001b3;
  return hash;
}

}  // namespace melgrad
