// Pictures of a run: its evaluation, and what it has learned.
#pragma once

#include <filesystem>

#include "apps/report_evaluation.h"
#include "layers/sequential.h"

namespace melgrad {

// Classes: the confusion matrix. Tags: a bar a tag; beside `picture`, as NAME.top-k.png and NAME.labels.png, the top-K
// curves and the scores of some units beside their labels. Throws Error where there is nothing to draw.
void draw_evaluation(const std::filesystem::path& picture, const std::string& network, const Evaluation& evaluation,
                     const Protocol& protocol);

// The frequency responses of a network's first convolution of raw samples, lowest first. Throws Error for networks
// without.
void draw_filters(const std::filesystem::path& picture, const std::string& title, const Sequential& network,
                  int64_t sample_rate);

}  // namespace melgrad
