// The [augment] keys of a recipe: how training samples are varied. Off unless a recipe says so; data.crop = random is
// the one that stands in [data].
#pragma once

#include "audio/number_or.h"

namespace melgrad {

struct NoNoise {
  static constexpr std::string_view text = "none";
};

struct AugmentOptions {
  // On the samples, before the frontend (McFee, Humphrey and Bello, "A software framework for musical data augmentation",
  // ISMIR 2015).
  double gain_db = 0;              // level changed by -gain_db … gain_db, drawn evenly
  NumberOr<NoNoise> noise_snr_db;  // white Gaussian noise is added, so many dB below the segment's power
  int64_t pitch_down = 0,
          pitch_up = 0;  // semitones: a whole number -pitch_down … pitch_up is drawn. The clip is played
                         // faster or slower, as a tape, so its tempo moves too; where labels are the 24
                         // keys, they move along (Korzeniowski and Widmer, EUSIPCO 2017: 4 and 7)
  // On the features: SpecAugment (Park et al., Interspeech 2019), without its time warping. Each mask is 0 … its width
  // long, drawn evenly, lies anywhere, and is filled with the segment's mean.
  int64_t time_masks = 0, time_width = 0;  // frames
  int64_t band_masks = 0, band_width = 0;  // bins
  // On batches: mixup (Zhang, Cissé, Dauphin and Lopez-Paz, ICLR 2018). Each sample is mixed with another of its batch
  // in the share that Beta(mixup, mixup) gives the batch, and so are the targets.
  double mixup = 0;  // alpha; 0: none

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("gain_db", self.gain_db);
    field("noise_snr_db", self.noise_snr_db);
    field("pitch_down", self.pitch_down);
    field("pitch_up", self.pitch_up);
    field("time_masks", self.time_masks);
    field("time_width", self.time_width);
    field("band_masks", self.band_masks);
    field("band_width", self.band_width);
    field("mixup", self.mixup);
  }
  bool operator==(const AugmentOptions&) const = default;

  // Whether the samples themselves change, so that features must be computed anew for each draw.
  bool changes_samples() const { return gain_db > 0 || !noise_snr_db.is_word() || pitch_down > 0 || pitch_up > 0; }
  bool changes_features() const { return (time_masks > 0 && time_width > 0) || (band_masks > 0 && band_width > 0); }
};

// Throws Error naming the key for values that make no sense.
void validate(const AugmentOptions& options);

}  // namespace melgrad
