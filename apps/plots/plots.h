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

// values (frames, bins), time-major; or the rows and columns of a picture, the first row on top.
struct Matrix {
  std::span<const float> values{};
  int64_t frames = 0, bins = 0;
  bool picture = false;
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

// A bar a tag, 0 … 1, in the order given. NaN: no bar.
struct TagBar {
  std::string tag{};
  double roc_auc = 0, pr_auc = 0;
};
void plot_tag_bars(const std::filesystem::path& path, const std::string& title, const std::vector<TagBar>& bars);

// One curve a share p, at K = 1, 2, …
struct ShareCurve {
  double p = 0;
  std::vector<double> share{};
};
void plot_top_k(const std::filesystem::path& path, const std::string& title, const std::vector<ShareCurve>& holding,
                const std::vector<double>& precision);

// Scores of clips (rows) for tags (columns) beside the labels: a frame around each cell that is one.
struct LabelPicture {
  std::string title{};
  std::vector<std::string> clips{}, tags{};
  std::vector<float> scores{}, truth{};  // (clips, tags)
};
void plot_labels(const std::filesystem::path& path, const LabelPicture& picture);

// Scores (steps, tags) along a file; step i stands for seconds i · step_seconds on.
struct TimePicture {
  std::string title{};
  std::vector<std::string> tags{};
  std::vector<float> scores{};
  double step_seconds = 0;
};
void plot_over_time(const std::filesystem::path& path, const TimePicture& picture);

// Learned filters, lowest frequency first: the response (filters, bins) of each, 0 … 1, bins even from 0 Hz to `nyquist`.
struct FilterPicture {
  std::string title{};
  std::vector<float> responses{};
  int64_t filters = 0, bins = 0;
  double nyquist = 0;
};
void plot_filters(const std::filesystem::path& path, const FilterPicture& picture);

// A spectrogram, below it how much each place of it speaks for a class, 0 … 1 (as many places), and the spectrogram in
// the light of that.
struct ActivationPicture {
  std::string title{};
  Matrix features{};
  Matrix activation{};
  double seconds = 0;  // 0: as many columns
};
void plot_class_activation(const std::filesystem::path& path, const ActivationPicture& picture);

// Spectrograms side by side, four to a row: a look at a class.
struct SheetPicture {
  struct Sheet {
    std::string name;
    Matrix values;
    double seconds;
  };
  std::string title{};
  std::vector<Sheet> sheets{};
};
void plot_sheet(const std::filesystem::path& path, const SheetPicture& picture);

}  // namespace melgrad::plots
