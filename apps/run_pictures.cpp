#include "apps/run_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "apps/plots/plots.h"
#include "models/look_inside.h"
#include "models/metrics/top_k.h"

namespace melgrad {
namespace {

std::filesystem::path beside(const std::filesystem::path& picture, const char* what) {
  std::filesystem::path other = picture;
  return other.replace_extension(fmt::format(".{}.png", what));
}

void draw_bars(const std::filesystem::path& picture, const std::string& title, const TagRankings& rankings,
               const std::vector<std::string>& labels) {
  std::vector<plots::TagBar> bars;
  const auto tags = rankings.per_tag();
  for (std::size_t tag = 0; tag < tags.size(); ++tag)
    if (!std::isnan(tags[tag].measures.roc_auc))
      bars.push_back({fmt::format("{} ({})", labels.at(tag), tags[tag].positives), tags[tag].measures.roc_auc,
                      tags[tag].measures.average_precision});
  std::ranges::stable_sort(bars, std::greater(), &plots::TagBar::roc_auc);
  plots::plot_tag_bars(picture, title, bars);
}

void draw_top_k(const std::filesystem::path& picture, const std::string& title, const Evaluation& evaluation) {
  const TopK top(evaluation.tag_matrix());
  const int64_t last = std::min<int64_t>(evaluation.tags, 30);
  std::vector<plots::ShareCurve> curves;
  for (double p : {0.5, 0.6, 0.7, 0.8, 0.9, 1.0}) {
    plots::ShareCurve& curve = curves.emplace_back(plots::ShareCurve{.p = p});
    for (int64_t k = 1; k <= last; ++k) curve.share.push_back(top.share_holding(k, p));
  }
  std::vector<double> precision;
  for (int64_t k = 1; k <= last; ++k) precision.push_back(top.precision(k));
  plots::plot_top_k(picture, title, curves, precision);
}

// The tags with the most labels, and units spread over the set.
void draw_labels(const std::filesystem::path& picture, const std::string& title, const Evaluation& evaluation,
                 const TagRankings& rankings, const std::vector<std::string>& labels) {
  constexpr std::size_t most_tags = 40;
  constexpr int64_t most_units = 30;
  const auto per_tag = rankings.per_tag();
  std::vector<std::size_t> tags(per_tag.size());
  std::iota(tags.begin(), tags.end(), std::size_t{0});
  std::ranges::stable_sort(tags, std::greater(), [&](std::size_t tag) { return per_tag[tag].positives; });
  tags.resize(std::min(tags.size(), most_tags));
  plots::LabelPicture drawn{.title = title};
  for (std::size_t tag : tags) drawn.tags.push_back(labels.at(tag));
  const int64_t units = std::min(evaluation.units(), most_units);
  for (int64_t i = 0; i < units; ++i) {
    const int64_t unit = i * evaluation.units() / units;
    drawn.clips.push_back(fmt::format("{}", unit + 1));
    for (std::size_t tag : tags) {
      const auto index = static_cast<std::size_t>(unit * evaluation.tags) + tag;
      drawn.scores.push_back(evaluation.scores[index]);
      drawn.truth.push_back(evaluation.targets[index]);
    }
  }
  plots::plot_labels(picture, drawn);
}

}  // namespace

void draw_evaluation(const std::filesystem::path& picture, const std::string& network, const Evaluation& evaluation,
                     const Protocol& protocol) {
  require(evaluation.kind != TargetKind::values && evaluation.units() > 0,
          "--plot: the data have neither classes nor tags, so there is nothing to draw");
  const std::string name = fmt::format("{}, {} split, {} {}", network, protocol.split, evaluation.units(),
                                       evaluation.by_clip ? "clips" : "segments");
  if (evaluation.kind == TargetKind::classes) {
    plots::plot_confusion(
        picture, fmt::format("{}: accuracy {:.3f}", name, evaluation.confusion.accuracy()), protocol.labels,
        [&](int64_t truth, int64_t predicted) { return evaluation.confusion.count(truth, predicted); });
    return;
  }
  const TagRankings rankings(evaluation.tag_matrix());
  const RankingMeasures macro = rankings.macro();
  draw_bars(picture, fmt::format("{}: ROC-AUC {:.3f}, PR-AUC {:.3f}", name, macro.roc_auc, macro.average_precision),
            rankings, protocol.labels);
  draw_top_k(beside(picture, "top-k"), name, evaluation);
  draw_labels(beside(picture, "labels"), name, evaluation, rankings, protocol.labels);
}

void draw_filters(const std::filesystem::path& picture, const std::string& title, const Sequential& network,
                  int64_t sample_rate) {
  const FilterResponses responses = first_filter_responses(network, 256);
  plots::plot_filters(picture, {.title = "first-layer filters of " + title,
                                .responses = responses.values,
                                .filters = responses.filters,
                                .bins = responses.bins,
                                .nyquist = static_cast<double>(sample_rate) / 2});
}

}  // namespace melgrad
