#include "apps/report_evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>

#include "apps/load_data.h"
#include "apps/table.h"
#include "models/metrics/bootstrap.h"
#include "models/metrics/key_score.h"
#include "models/metrics/top_k.h"

namespace melgrad {
namespace {

constexpr int64_t captured_at = 10;  // K of the table of captured tags

Json interval_json(const Interval& interval) {
  return Json::array({interval.low, interval.high});
}

std::string with_interval(double value, const Interval& interval) {
  return fmt::format("{:.3f} (95 % {:.3f} to {:.3f})", value, interval.low, interval.high);
}

std::string unit_text(const Evaluation& evaluation) {
  return evaluation.by_clip ? fmt::format("{} clips, their {} segments averaged", evaluation.clips, evaluation.segments)
                            : fmt::format("{} segments, each by itself", evaluation.segments);
}

// The keys of the labels and how near the predictions came, where all labels are keys.
struct KeyReport {
  KeyScore score;
  Interval interval;  // of the score with ascending fifths
};

std::optional<KeyReport> key_report(const Evaluation& evaluation, const std::vector<std::string>& labels) {
  const auto keys = parse_keys(labels);
  if (!keys || evaluation.kind != TargetKind::classes || evaluation.truth.empty()) return {};
  KeyReport report;
  std::vector<double> weights;
  for (std::size_t i = 0; i < evaluation.truth.size(); ++i) {
    const Key& truth = keys->at(static_cast<std::size_t>(evaluation.truth[i]));
    const Key& estimate = keys->at(static_cast<std::size_t>(evaluation.predicted[i]));
    report.score.add(truth, estimate);
    weights.push_back(key_weight(relation_of(truth, estimate), Fifths::ascending));
  }
  report.interval = bootstrap_mean(weights);
  return report;
}

Interval accuracy_interval(const Evaluation& evaluation) {
  std::vector<double> right;
  for (std::size_t i = 0; i < evaluation.truth.size(); ++i)
    right.push_back(evaluation.truth[i] == evaluation.predicted[i] ? 1.0 : 0.0);
  return right.empty() ? Interval{} : bootstrap_mean(right);
}

void add_classes(Json& object, const Evaluation& evaluation, const Protocol& protocol) {
  object["accuracy"] = evaluation.confusion.accuracy();
  object["accuracy_interval"] = interval_json(accuracy_interval(evaluation));
  object["segment_accuracy"] = evaluation.segment_accuracy;
  object["macro_f1"] = evaluation.confusion.macro().f1;
  if (const auto keys = key_report(evaluation, protocol.labels)) {
    object["mirex"] = keys->score.score(Fifths::ascending);
    object["mirex_interval"] = interval_json(keys->interval);
    object["mirex_both_fifths"] = keys->score.score(Fifths::both);
    for (const auto& [relation, name] : enum_names<KeyRelation>)
      object["key_relations"][std::string(name)] = keys->score.count(relation);
  }
  const auto classes = evaluation.confusion.per_class();
  for (std::size_t c = 0; c < classes.size(); ++c) {
    object["per_class"].push_back({{"label", c < protocol.labels.size() ? protocol.labels[c] : std::to_string(c)},
                                   {"labelled", classes[c].labelled},
                                   {"precision", classes[c].precision},
                                   {"recall", classes[c].recall},
                                   {"f1", classes[c].f1}});
  }
  Json confusion = Json::array();
  for (int64_t truth = 0; truth < evaluation.confusion.classes(); ++truth) {
    Json row = Json::array();
    for (int64_t predicted = 0; predicted < evaluation.confusion.classes(); ++predicted)
      row.push_back(evaluation.confusion.count(truth, predicted));
    confusion.push_back(row);
  }
  object["confusion"] = confusion;
}

// ROC-AUC and average precision with their intervals.
struct TagReport {
  TagRankings rankings;
  RankingMeasures macro;
  std::vector<Interval> intervals;  // of macro's two
};

TagReport tag_report(const Evaluation& evaluation) {
  TagReport report{TagRankings(evaluation.tag_matrix()), {}, {}};
  report.macro = report.rankings.macro();
  report.intervals = bootstrap(evaluation.units(), [&](std::span<const int32_t> weights) {
    const RankingMeasures macro = report.rankings.macro(weights);
    return std::vector<double>{macro.roc_auc, macro.average_precision};
  });
  return report;
}

constexpr std::array<double, 6> shares{0.5, 0.6, 0.7, 0.8, 0.9, 1.0};

Json top_k_json(const TopK& top, const Evaluation& evaluation, const std::vector<std::string>& labels) {
  const int64_t last = std::min<int64_t>(evaluation.tags, 30);
  Json precision = Json::array(), holding = Json::array(), captures = Json::array();
  for (int64_t k = 1; k <= last; ++k) precision.push_back(top.precision(k));
  for (double p : shares) {
    Json curve = Json::array();
    for (int64_t k = 1; k <= last; ++k) curve.push_back(top.share_holding(k, p));
    holding.push_back({{"p", p}, {"share", curve}});
  }
  for (const TagCapture& tag : top.captures(captured_at)) {
    captures.push_back({{"tag", labels.at(static_cast<std::size_t>(tag.tag))},
                        {"labelled", tag.labelled},
                        {"captured", tag.captured},
                        {"missed", tag.missed},
                        {"rate", tag.rate}});
  }
  return {{"clips", top.clips()}, {"without_labels", top.skipped()}, {"precision", precision},
          {"holding", holding},   {"captured_at", captured_at},      {"captures", captures}};
}

void add_tags(Json& object, const Evaluation& evaluation, const Protocol& protocol) {
  const TagReport report = tag_report(evaluation);
  const ThresholdMeasures decided = measure_at_threshold(evaluation.tag_matrix(), protocol.threshold);
  object["roc_auc"] = report.macro.roc_auc;
  object["roc_auc_interval"] = interval_json(report.intervals[0]);
  object["pr_auc"] = report.macro.average_precision;
  object["pr_auc_interval"] = interval_json(report.intervals[1]);
  object["tags"] = evaluation.tags;
  object["tags_counted"] = report.rankings.tags_counted();
  object["threshold"] = protocol.threshold;
  object["exact_match"] = decided.exact_match;
  const auto tags = report.rankings.per_tag();
  for (std::size_t tag = 0; tag < tags.size(); ++tag) {
    object["per_tag"].push_back({{"tag", protocol.labels.at(tag)},
                                 {"positives", tags[tag].positives},
                                 {"roc_auc", tags[tag].measures.roc_auc},
                                 {"pr_auc", tags[tag].measures.average_precision},
                                 {"predicted", decided.per_tag[tag].predicted},
                                 {"captured", decided.per_tag[tag].captured},
                                 {"right", decided.per_tag[tag].right}});
  }
  object["top_k"] = top_k_json(TopK(evaluation.tag_matrix()), evaluation, protocol.labels);
}

}  // namespace

Protocol protocol_of(const LoadedData& data, const std::string& split, double threshold) {
  return {split, data.protocol, static_cast<int64_t>(data.skipped.size()), data.labels, threshold};
}

Json evaluation_json(const Evaluation& evaluation, const Protocol& protocol) {
  Json object{{"split", protocol.split},
              {"protocol", protocol.words},
              {"samples", evaluation.clips},
              {"segments", evaluation.segments},
              {"skipped", protocol.skipped},
              {"loss", evaluation.loss},
              {"counted", evaluation.by_clip ? "clips" : "segments"}};
  if (evaluation.kind == TargetKind::classes) add_classes(object, evaluation, protocol);
  if (evaluation.kind == TargetKind::tags && evaluation.units() > 0) add_tags(object, evaluation, protocol);
  return object;
}

std::string evaluation_line(const Evaluation& evaluation, const Protocol& protocol) {
  const std::string unit = unit_text(evaluation), loss = fmt::format("loss {:.4f}", evaluation.loss);
  if (evaluation.kind == TargetKind::values) return fmt::format("{}: {} over {}", protocol.split, loss, unit);
  if (evaluation.kind == TargetKind::tags) {
    const TagRankings rankings(evaluation.tag_matrix());
    return fmt::format("{}: ROC-AUC {:.3f}, PR-AUC {:.3f}, mean of {} tags of {}, over {}; {}", protocol.split,
                       rankings.macro().roc_auc, rankings.macro().average_precision, rankings.tags_counted(),
                       evaluation.tags, unit, loss);
  }
  const auto keys = key_report(evaluation, protocol.labels);
  const std::string mirex = keys ? fmt::format(", MIREX {:.3f}", keys->score.score(Fifths::ascending)) : "";
  return fmt::format("{}: accuracy {:.3f}{} over {}; {}", protocol.split, evaluation.confusion.accuracy(), mirex, unit,
                     loss);
}

namespace {

// The first and last rows of a long table.
void shorten(std::vector<std::vector<std::string>>& rows, std::size_t ends) {
  if (rows.size() <= 2 * ends + 1) return;
  rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(ends) + 1, rows.end() - static_cast<std::ptrdiff_t>(ends));
  rows.insert(rows.begin() + static_cast<std::ptrdiff_t>(ends) + 1, std::vector<std::string>(rows[0].size(), "…"));
}

std::string tag_table(const TagReport& report, const ThresholdMeasures& decided,
                      const std::vector<std::string>& labels) {
  const auto tags = report.rankings.per_tag();
  std::vector<std::size_t> order(tags.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::erase_if(order, [&](std::size_t tag) { return std::isnan(tags[tag].measures.roc_auc); });
  std::ranges::stable_sort(order, std::greater(), [&](std::size_t tag) { return tags[tag].measures.roc_auc; });
  std::vector<std::vector<std::string>> rows{{"tag", "clips", "ROC-AUC", "PR-AUC", "predicted", "captured", "right"}};
  for (std::size_t tag : order) {
    const TagDecisions& at = decided.per_tag[tag];
    rows.push_back({labels.at(tag), std::to_string(at.labelled), fmt::format("{:.3f}", tags[tag].measures.roc_auc),
                    fmt::format("{:.3f}", tags[tag].measures.average_precision), std::to_string(at.predicted),
                    std::to_string(at.captured), std::to_string(at.right)});
  }
  shorten(rows, 15);
  return format_table(rows);
}

std::string capture_table(const TopK& top, const std::vector<std::string>& labels) {
  std::vector<std::vector<std::string>> rows{{"tag", "labelled", "captured", "missed", "rate"}};
  for (const TagCapture& tag : top.captures(captured_at)) {
    rows.push_back({labels.at(static_cast<std::size_t>(tag.tag)), std::to_string(tag.labelled),
                    std::to_string(tag.captured), std::to_string(tag.missed), fmt::format("{:.3f}", tag.rate)});
  }
  shorten(rows, 10);
  return format_table(rows);
}

std::string tags_text(const Evaluation& evaluation, const Protocol& protocol) {
  const TagReport report = tag_report(evaluation);
  const ThresholdMeasures decided = measure_at_threshold(evaluation.tag_matrix(), protocol.threshold);
  const TopK top(evaluation.tag_matrix());
  std::string text = fmt::format("ROC-AUC {}, PR-AUC {}\n", with_interval(report.macro.roc_auc, report.intervals[0]),
                                 with_interval(report.macro.average_precision, report.intervals[1]));
  text += fmt::format("all tags right at a threshold of {:g}: {:.3f} of {}\n\n", protocol.threshold,
                      decided.exact_match, evaluation.by_clip ? "clips" : "segments");
  text += tag_table(report, decided, protocol.labels);
  text +=
      fmt::format("\ntop K over {} with a label ({} without are left out); at least p of the labels are among it:\n",
                  top.clips(), top.skipped());
  std::vector<std::vector<std::string>> rows{{"K", "precision"}};
  for (double p : shares) rows[0].push_back(fmt::format("p = {:g}", p));
  for (int64_t k : {1, 2, 3, 5, 10, 15, 20, 30}) {
    if (k > evaluation.tags) break;
    rows.push_back({std::to_string(k), fmt::format("{:.3f}", top.precision(k))});
    for (double p : shares) rows.back().push_back(fmt::format("{:.3f}", top.share_holding(k, p)));
  }
  text += format_table(rows);
  return text + fmt::format("\ncaptured by the top {}:\n{}", captured_at, capture_table(top, protocol.labels));
}

std::string classes_text(const Evaluation& evaluation, const Protocol& protocol) {
  std::string text = fmt::format("accuracy {}, macro F1 {:.3f}\n",
                                 with_interval(evaluation.confusion.accuracy(), accuracy_interval(evaluation)),
                                 evaluation.confusion.macro().f1);
  if (const auto keys = key_report(evaluation, protocol.labels)) {
    text += fmt::format("MIREX {} with fifths above, {:.3f} with both;",
                        with_interval(keys->score.score(Fifths::ascending), keys->interval),
                        keys->score.score(Fifths::both));
    for (const auto& [relation, name] : enum_names<KeyRelation>)
      text += fmt::format(" {} {}", name, keys->score.count(relation));
    text += "\n";
  }
  return text + "\n" + confusion_table(evaluation.confusion, protocol.labels);
}

}  // namespace

std::string evaluation_text(const Evaluation& evaluation, const Protocol& protocol) {
  std::string text = fmt::format("{}\nsplit: {}; {} files skipped\n", evaluation_line(evaluation, protocol),
                                 protocol.words, protocol.skipped);
  if (evaluation.kind == TargetKind::classes) text += classes_text(evaluation, protocol);
  if (evaluation.kind == TargetKind::tags && evaluation.units() > 0) text += tags_text(evaluation, protocol);
  return text;
}

namespace {

// A column's label: at most twelve bytes, cut between characters.
std::string shortened(const std::string& label) {
  if (label.size() <= 12) return label;
  std::size_t end = 11;
  while (end > 0 && (static_cast<unsigned char>(label[end]) & 0xC0) == 0x80) --end;
  return label.substr(0, end) + "…";
}

}  // namespace

std::string confusion_table(const ConfusionMatrix& confusion, const std::vector<std::string>& labels) {
  constexpr std::size_t most_names = 12;  // that fit a terminal side by side; more columns have their class's number
  const bool numbered = labels.size() > most_names;
  const auto ratio = [](int64_t part, int64_t whole) {
    return whole == 0 ? std::string("-")
                      : fmt::format("{:.2f}", static_cast<double>(part) / static_cast<double>(whole));
  };
  const auto count = [&](std::size_t truth, std::size_t predicted) {
    return confusion.count(static_cast<int64_t>(truth), static_cast<int64_t>(predicted));
  };
  std::vector<std::vector<std::string>> rows{{"truth \\ predicted"}};
  for (std::size_t c = 0; c < labels.size(); ++c)
    rows.front().push_back(numbered ? std::to_string(c + 1) : shortened(labels[c]));
  rows.front().insert(rows.front().end(), {"recall", "precision"});
  for (std::size_t truth = 0; truth < labels.size(); ++truth) {
    std::vector<std::string> row{numbered ? fmt::format("{:>2} {}", truth + 1, labels[truth]) : labels[truth]};
    int64_t labelled = 0, predicted = 0;
    for (std::size_t other = 0; other < labels.size(); ++other) {
      row.push_back(count(truth, other) == 0 ? "." : std::to_string(count(truth, other)));
      labelled += count(truth, other);
      predicted += count(other, truth);
    }
    row.push_back(ratio(count(truth, truth), labelled));
    row.push_back(ratio(count(truth, truth), predicted));
    rows.push_back(std::move(row));
  }
  return format_table(rows);
}

}  // namespace melgrad
