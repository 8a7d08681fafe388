// An evaluation as JSON, as lines and as tables: the same for train and evaluate. Every figure stands beside its protocol.
#pragma once

#include "apps/command.h"
#include "apps/evaluation.h"

namespace melgrad {

struct LoadedData;

// What an evaluation is of.
struct Protocol {
  std::string split{};  // train, valid or test
  std::string words{};  // how the split was made
  int64_t skipped = 0;  // clips of the data set that could not be used
  std::vector<std::string> labels{};
  double threshold = 0.5;  // of tags
};
Protocol protocol_of(const LoadedData& data, const std::string& split, double threshold = 0.5);

// split, protocol, samples, segments, skipped, loss, counted (clips or segments), and
//   classes  accuracy, confusion, per_class, …; where all labels are keys also mirex, key_relations
//   tags     roc_auc, pr_auc, per_tag, exact_match, top_k, …
// Intervals are 95 %, by bootstrap over what is counted.
Json evaluation_json(const Evaluation& evaluation, const Protocol& protocol);

// "test: accuracy 0.870 over 50 clips, their 500 segments averaged; loss 0.41".
std::string evaluation_line(const Evaluation& evaluation, const Protocol& protocol);

// Everything for a terminal: lines, then tables.
std::string evaluation_text(const Evaluation& evaluation, const Protocol& protocol);

// Truth in rows, prediction in columns, named or (of many classes) numbered; then recall and precision of the row's class.
std::string confusion_table(const ConfusionMatrix& confusion, const std::vector<std::string>& labels);

}  // namespace melgrad
