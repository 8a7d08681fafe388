// The program's pictures. Callers bring the numbers; nothing is computed here but where they go.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/plots/axes.h"

namespace melgrad::plots {

// values (frames, bins), time-major.
struct Matrix {
  std::span<const float> values{};
  int64_t frames = 0, bins = 0;
};

struct AudioPicture {
  std::string title{};
  std::span<const float> samples{};
  int64_t sample_rate = 0;
  std::vector<Point> spectrum{};  // Hz, dB
  Matrix spectrogram{};           // dB; bin 0 is 0 Hz, the last half the sample rate
  Matrix mfcc{};
  double hop_seconds = 0;                                    // of spectrogram and mfcc
  std::vector<std::pair<std::string, float>> predictions{};  // labels with probabilities, best first; may be empty
};
void plot_audio(const std::filesystem::path& path, const AudioPicture& picture);

// One feature of one file. `ticks`: names of some bins (Hz along a mel axis); none: their numbers.
struct FeaturePicture {
  std::string title{};
  Matrix values{};
  double hop_seconds = 0;
  std::vector<Tick> ticks{};
  std::string axis_label{};   // "Hz", "coefficient"
  std::string value_label{};  // "dB"
  std::string time_label = "seconds";
  bool around_zero = false;  // values of both signs: a diverging colour map
};
void plot_feature(const std::filesystem::path& path, const FeaturePicture& picture);
void plot_waveform(const std::filesystem::path& path, const std::string& title, std::span<const float> samples,
                   int64_t sample_rate);

struct TrainingCurve {
  std::string name;
  std::vector<Point> train, valid;  // epoch, value
};
void plot_training(const std::filesystem::path& path, const std::string& title,
                   const std::vector<TrainingCurve>& curves, int64_t best_epoch);

// Truth in rows, prediction in columns, coloured by the share of the row.
void plot_confusion(const std::filesystem::path& path, const std::string& title, const std::vector<std::string>& labels,
                    const std::function<int64_t(int64_t truth, int64_t predicted)>& count);

}  // namespace melgrad::plots
