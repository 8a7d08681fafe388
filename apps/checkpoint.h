// A training run at an instant: everything that the rest of it depends on.
#pragma once

#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "layers/sequential.h"
#include "optim/average.h"
#include "optim/optimizer.h"

namespace melgrad {

// Where a run is, beside the weights and the optimizer's state.
struct Progress {
  int64_t epoch = 0;          // the epoch under way, from 0
  int64_t step_in_epoch = 0;  // steps of it that are done
  int64_t step = 0;           // of the whole run: numbers the dropout masks
  double loss_sum = 0;        // over the samples of this epoch so far
  double correct = 0;         // likewise
  int64_t best_epoch = -1;
  double best_loss = std::numeric_limits<double>::infinity();
  std::vector<double> valid_losses;  // of the epochs so far
  std::string log;                   // log.tsv so far: the file is rewritten from here, so the two cannot disagree
  uint64_t data = 0;                 // fingerprint of the samples
  bool finished = false;
};

// Written atomically; equal states give equal bytes.
// `average` may be null.
void save_checkpoint(const std::filesystem::path& path, const Sequential& network, const Optimizer& optimizer,
                     const MovingAverage* average, const Progress& progress);

// Loads the weights and the states in place; throws Error naming the file.
Progress load_checkpoint(const std::filesystem::path& path, Sequential& network, Optimizer& optimizer,
                         MovingAverage* average);

// Weights alone, with what they are in words.
void save_weights(const std::filesystem::path& path, const Sequential& network,
                  const std::map<std::string, std::string>& metadata);

}  // namespace melgrad
