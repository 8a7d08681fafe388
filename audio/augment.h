// The single steps of augmentation; what is drawn comes from the caller's generator.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "audio/augment_options.h"
#include "kernels/philox.h"

namespace melgrad {

// Multiplies by 10^(db / 20).
void change_gain(std::span<float> samples, double db);

// Adds white Gaussian noise (numbers of `noise`) with so many dB less power than the samples have; silence stays silent.
void add_noise(std::span<float> samples, double snr_db, const Philox& noise);

// Played 2^(semitones / 12) times as fast: higher by so many semitones, and shorter. Exactly `length` samples come back,
// of source_length(length, semitones) given.
int64_t source_length(int64_t length, int64_t semitones);
std::vector<float> change_pitch(std::span<const float> samples, int64_t semitones, int64_t length);

// SpecAugment's masks on features (frames, bins), in place.
void mask_features(std::span<float> features, int64_t frames, int64_t bins, const AugmentOptions& options,
                   Generator& random);

// The label of a key (2 · tonic + mode) after a shift.
int32_t shifted_key(int32_t label, int64_t semitones);

// A draw from Beta(alpha, alpha), by Jöhnk 1964.
double draw_beta(double alpha, Generator& random);

}  // namespace melgrad
