#include "apps/report_evaluation.h"

#include <fmt/format.h>

#include "apps/table.h"

namespace melgrad {

Json evaluation_json(const Evaluation& evaluation, const std::string& split, int64_t skipped,
                     const std::string& protocol) {
  Json object{
      {"split", split},     {"protocol", protocol},   {"samples", evaluation.clips}, {"segments", evaluation.segments},
      {"skipped", skipped}, {"loss", evaluation.loss}};
  if (!evaluation.single_label) return object;
  object["accuracy"] = evaluation.confusion.accuracy();
  object["segment_accuracy"] = evaluation.segment_accuracy;
  object["counted"] = evaluation.by_clip ? "clips" : "segments";
  Json confusion = Json::array();
  for (int64_t truth = 0; truth < evaluation.confusion.classes(); ++truth) {
    Json row = Json::array();
    for (int64_t predicted = 0; predicted < evaluation.confusion.classes(); ++predicted)
      row.push_back(evaluation.confusion.count(truth, predicted));
    confusion.push_back(row);
  }
  object["confusion"] = confusion;
  return object;
}

std::string evaluation_line(const Evaluation& evaluation, const std::string& split) {
  const std::string unit =
      evaluation.by_clip ? fmt::format("{} clips, their {} segments averaged", evaluation.clips, evaluation.segments)
                         : fmt::format("{} segments, each by itself", evaluation.segments);
  if (!evaluation.single_label) return fmt::format("{}: loss {:.4f} over {}", split, evaluation.loss, unit);
  return fmt::format("{}: accuracy {:.3f} over {}; loss {:.3f}", split, evaluation.confusion.accuracy(), unit,
                     evaluation.loss);
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
  std::vector<std::vector<std::string>> rows{{"truth \\ predicted"}};
  const auto ratio = [](int64_t part, int64_t whole) {
    return whole == 0 ? std::string("-")
                      : fmt::format("{:.2f}", static_cast<double>(part) / static_cast<double>(whole));
  };
  std::vector<int64_t> predicted_total(labels.size());
  for (const std::string& label : labels) rows.front().push_back(shortened(label));
  rows.front().push_back("recall");
  for (std::size_t truth = 0; truth < labels.size(); ++truth) {
    std::vector<std::string> row{labels[truth]};
    int64_t total = 0;
    for (std::size_t predicted = 0; predicted < labels.size(); ++predicted) {
      const int64_t count = confusion.count(static_cast<int64_t>(truth), static_cast<int64_t>(predicted));
      row.push_back(count == 0 ? "." : std::to_string(count));
      total += count;
      predicted_total[predicted] += count;
    }
    row.push_back(ratio(confusion.count(static_cast<int64_t>(truth), static_cast<int64_t>(truth)), total));
    rows.push_back(std::move(row));
  }
  std::vector<std::string> precision{"precision"};
  for (std::size_t c = 0; c < labels.size(); ++c)
    precision.push_back(ratio(confusion.count(static_cast<int64_t>(c), static_cast<int64_t>(c)), predicted_total[c]));
  precision.push_back("");
  rows.push_back(std::move(precision));
  return format_table(rows);
}

}  // namespace melgrad
