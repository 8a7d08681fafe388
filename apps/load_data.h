// From a recipe and a folder of audio to the samples of each split.
#pragma once

#include <filesystem>

#include "apps/config.h"
#include "apps/samples.h"
#include "audio/dataset.h"

namespace melgrad {

struct LoadedData {
  Samples train, valid, test;
  std::vector<std::string> labels;
  bool multi_label = false;  // whether a clip may have none or several labels: `targets` of the samples are 0 or 1 then
  std::vector<SkippedClip> skipped;
  // Whether a clip lies in one split only; its segments are then averaged in evaluation.
  bool whole_clips = false;
  std::string protocol;  // in words, for every figure: "random over segments: …"
};

enum class Purpose : uint8_t { training, evaluation };

// Reads the clips, computes their features (or finds them in the cache) and splits them. A set of one label a clip gives
// Samples::labels, a multi-label set Samples::targets with a row of zeros and ones a sample. config.labels, where a run
// has them, fix which label has which number. Any split may come out empty. Throws Error if the data set cannot be read
// at all; single bad files are skipped, and reported on stderr.
// Only for training are samples kept from which [augment] and data.crop = random make features anew.
LoadedData load_data(const Config& config, const std::filesystem::path& folder, Purpose purpose = Purpose::evaluation);

// Makes labels and targets fit the network and loss of the configuration: a network of [[layer]] tables may have more
// outputs than the data have labels, and some losses want one-hot rows. Throws if they cannot fit.
void fit_labels(LoadedData& data, const Config& config);

const Samples& split_of(const LoadedData& data, const std::string& split);  // train, valid or test

// What networks see of features (frames, bins): (frames, bins, 1), and of a waveform (frames, 1).
Shape input_shape(int64_t frames, int64_t bins);

// "skipped 2 files that cannot be used (1 missing): …" on stderr, at most a few of them by name.
void report_skipped(const std::vector<SkippedClip>& skipped);

}  // namespace melgrad
