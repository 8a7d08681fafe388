// The training loop: epochs of shuffled batches, the best weights by validation loss (by training loss where there is
// nothing to validate on), and a run that can be killed at
// any instant and goes on as if it had not been.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>

#include "apps/batch_source.h"
#include "apps/checkpoint.h"
#include "apps/evaluation.h"
#include "apps/train_options.h"
#include "apps/training_step.h"

namespace melgrad {

struct EpochResult {
  int64_t epoch = 0;  // from 1, as people count
  double train_loss = 0, train_accuracy = 0;
  double valid_loss = 0, valid_accuracy = 0;
  bool best = false;
  double seconds = 0;
};

// What the loop tells whoever watches.
struct TrainingEvents {
  std::function<void(int64_t epoch, int64_t samples_done, int64_t samples, double loss)> on_step;
  std::function<void(const EpochResult&)> on_epoch;
};

struct TrainingSummary {
  bool interrupted = false;
  int64_t epochs = 0;      // done
  int64_t best_epoch = 0;  // from 1
  double seconds = 0;      // training alone, in this process
  int64_t samples = 0;     // trained on, in this process
};

class Trainer {
 public:
  // The folder exists. The network is built.
  Trainer(Sequential& network, const TrainOptions& options, const Samples& train, const Samples& valid,
          std::filesystem::path folder, const BatchOptions& batches = {});

  // Takes up the run that `last.safetensors` holds; false if there is none yet. Throws if it is of other data.
  bool resume();

  // Runs to the end, or to the end of the step in which `stop` becomes true; then last.safetensors holds the run.
  TrainingSummary run(const TrainingEvents& events, const std::atomic<bool>& stop);

  const Progress& progress() const { return progress_; }

 private:
  bool run_epoch(const TrainingEvents& events, const std::atomic<bool>& stop, TrainingSummary& summary);
  void train_step(const Batch& batch);
  EpochResult finish_epoch();
  double scheduled_rate() const;
  void restart_from_best();
  void save();

  Sequential& network_;
  const TrainOptions& options_;
  const Samples& train_;
  const Samples& valid_;
  std::filesystem::path folder_;
  BatchSource batches_;
  TrainingStep step_;
  std::unique_ptr<MovingAverage> average_;  // none without train.average
  Progress progress_;
  Device device_;
};

// The order in which an epoch visits n samples: a function of the seed and the epoch alone.
std::vector<int64_t> epoch_order(int64_t n, bool shuffle, uint64_t seed, int64_t epoch);

}  // namespace melgrad
