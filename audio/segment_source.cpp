#include "audio/segment_source.h"

#include <algorithm>

#include "audio/augment.h"
#include "kernels/error.h"

namespace melgrad {

SegmentSource::SegmentSource(std::shared_ptr<const FeatureSet> set, std::vector<int64_t> segments,
                             std::shared_ptr<const Frontend> frontend, const DataOptions& data,
                             const AugmentOptions& augment)
    : set_(std::move(set)),
      segments_(std::move(segments)),
      frontend_(std::move(frontend)),
      data_(data),
      augment_(augment),
      cut_(make_cut(*frontend_, data)) {
  validate(augment);
}

// Samples start … start + length - 1 of a clip. Beyond its end: zeros with short = pad, else the clip from its start.
std::vector<float> SegmentSource::cut(const StoredClip& clip, int64_t start, int64_t length) const {
  std::vector<float> samples(static_cast<std::size_t>(length));
  for (int64_t i = 0; i < length; ++i) {
    const int64_t at = start + i;
    if (at >= clip.samples && data_.short_clips == ShortClips::pad) break;
    samples[static_cast<std::size_t>(i)] = clip.sample(at % clip.samples);
  }
  return samples;
}

void SegmentSource::analyse(std::span<const float> samples, std::span<float> to) const {
  const Features features = frontend_->compute(samples);
  require(features.values.size() == to.size(), "a segment of {} samples gives {} values, expected {}", samples.size(),
          features.values.size(), to.size());
  std::ranges::copy(features.values, to.begin());
}

void SegmentSource::read(int64_t i, std::span<float> to) const {
  const auto segment = static_cast<std::size_t>(segments_[static_cast<std::size_t>(i)]);
  const auto clip = static_cast<std::size_t>(set_->clip[segment]);
  if (!set_->features.empty()) {
    std::ranges::copy(set_->features[clip].segment(set_->piece[segment]), to.begin());
    return;
  }
  const StoredClip& stored = set_->samples[clip];
  const Cut of_clip = cut_.of(stored.samples);
  const int64_t start = crop_start(stored.samples, of_clip, data_) + set_->piece[segment] * of_clip.segment_samples;
  analyse(cut(stored, start, of_clip.segment_samples), to);
}

int64_t SegmentSource::draw(int64_t i, uint64_t seed, int64_t epoch, std::span<float> to) const {
  const auto segment = static_cast<std::size_t>(segments_[static_cast<std::size_t>(i)]);
  const auto a = static_cast<uint32_t>(epoch), b = static_cast<uint32_t>(i);
  Generator random(seed, Draw::augment, a, b);
  int64_t semitones = 0;
  if (data_.crop != CropPosition::random && !augment_.changes_samples()) {
    read(i, to);
  } else {
    const StoredClip& stored = set_->samples[static_cast<std::size_t>(set_->clip[segment])];
    semitones = random.below(static_cast<uint32_t>(augment_.pitch_down + augment_.pitch_up + 1)) - augment_.pitch_down;
    Cut of_clip = cut_.of(stored.samples);
    if (cut_.whole) of_clip.segment_samples = source_length(stored.samples, -semitones);  // all of it, at its new speed
    const int64_t wanted = of_clip.segment_samples,
                  length = cut_.whole ? stored.samples : source_length(wanted, semitones);
    const int64_t latest = std::max<int64_t>(0, stored.samples - length);
    const int64_t planned = crop_start(stored.samples, of_clip, data_) + set_->piece[segment] * wanted;
    const int64_t start = data_.crop == CropPosition::random ? random.below(static_cast<uint32_t>(latest + 1))
                                                             : std::min(planned, latest);
    std::vector<float> samples = change_pitch(cut(stored, start, length), semitones, wanted);
    const double gain = random.uniform(-augment_.gain_db, augment_.gain_db);
    if (augment_.gain_db > 0) change_gain(samples, gain);
    if (!augment_.noise_snr_db.is_word())
      add_noise(samples, augment_.noise_snr_db.value_or(0), {seed, Draw::augment_noise, a, b});
    analyse(samples, to);
  }
  if (augment_.changes_features()) mask_features(to, set_->frames, set_->bins, augment_, random);
  return semitones;
}

uint64_t SegmentSource::fingerprint() const {
  std::vector<uint64_t> words{static_cast<uint64_t>(set_->frames), static_cast<uint64_t>(set_->bins)};
  for (int64_t one : segments_) {
    const auto segment = static_cast<std::size_t>(one);
    const auto clip = static_cast<std::size_t>(set_->clip[segment]);
    words.push_back(static_cast<uint64_t>(set_->piece[segment]));
    if (!set_->features.empty()) words.push_back(set_->features[clip].checksum);
    if (!set_->samples.empty()) words.push_back(set_->samples[clip].checksum);
  }
  return checksum_of(words.data(), words.size() * sizeof(uint64_t));
}

}  // namespace melgrad
