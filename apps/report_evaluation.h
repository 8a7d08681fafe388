// An evaluation as JSON, as a line and as a table: the same for train and evaluate.
#pragma once

#include "apps/command.h"
#include "apps/evaluation.h"

namespace melgrad {

// split, samples, segments, skipped, loss, accuracy, confusion; and segment_accuracy, protocol.
Json evaluation_json(const Evaluation& evaluation, const std::string& split, int64_t skipped,
                     const std::string& protocol);

// "test: accuracy 0.870 over 50 clips (10 segments each averaged), loss 0.41".
std::string evaluation_line(const Evaluation& evaluation, const std::string& split);

// Truth in rows, prediction in columns, with recall and precision of each class.
std::string confusion_table(const ConfusionMatrix& confusion, const std::vector<std::string>& labels);

}  // namespace melgrad
