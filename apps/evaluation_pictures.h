// An evaluation as pictures.
#pragma once

#include <filesystem>

#include "apps/report_evaluation.h"

namespace melgrad {

// Classes: the confusion matrix. Tags: a bar a tag; beside `picture`, as NAME.top-k.png and NAME.labels.png, the top-K
// curves and the scores of some units beside their labels. Throws Error where there is nothing to draw.
void draw_evaluation(const std::filesystem::path& picture, const std::string& network, const Evaluation& evaluation,
                     const Protocol& protocol);

}  // namespace melgrad
