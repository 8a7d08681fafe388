#include "audio/labels.h"

#include <algorithm>
#include <map>
#include <set>

#include "audio/readers/readers.h"
#include "kernels/error.h"

namespace melgrad {
namespace {

void add_to_protocol(ClipList& list, const std::string& words) {
  list.protocol += (list.protocol.empty() ? "" : "; ") + words;
}

}  // namespace

void use_labels(ClipList& list, const std::vector<std::string>& labels) {
  std::map<std::string, int32_t> number;
  for (const std::string& label : labels) number.emplace(label, static_cast<int32_t>(number.size()));
  for (Clip& clip : list.clips) {
    std::vector<int32_t> kept;
    for (int32_t label : clip.labels) {
      const auto found = number.find(list.labels[static_cast<std::size_t>(label)]);
      if (found != number.end()) kept.push_back(found->second);
    }
    std::ranges::sort(kept);
    clip.labels = std::move(kept);
  }
  if (!list.multi_label) std::erase_if(list.clips, [](const Clip& clip) { return clip.labels.empty(); });
  list.labels = labels;
}

void choose_labels(ClipList& list, const DataOptions& options) {
  const std::size_t all = list.clips.size();
  if (options.labels != "all" && options.labels != "top-50") {  // top-50 is the reader's affair
    const std::vector<std::string> labels = read_lines(options.labels, "data.labels");
    require(std::set(labels.begin(), labels.end()).size() == labels.size(), "data.labels: {} names a label twice",
            options.labels);
    use_labels(list, labels);
    if (list.clips.size() < all)
      add_to_protocol(list, fmt::format("{} clips of other labels than the {} of {} left out", all - list.clips.size(),
                                        labels.size(), options.labels));
  }
  if (list.multi_label) {
    const auto untagged = [](const Clip& clip) { return clip.labels.empty(); };
    const auto count = std::ranges::count_if(list.clips, untagged);
    const bool drop = options.untagged == Untagged::drop;
    if (drop) std::erase_if(list.clips, untagged);
    add_to_protocol(list, fmt::format("{} clips with none of the {} labels {}", count, list.labels.size(),
                                      drop ? "left out" : "kept"));
  }
  require(!list.clips.empty(), "the data set has no clips{}",
          list.protocol.empty() ? "" : fmt::format(" ({})", list.protocol));
}

std::vector<int64_t> label_counts(const ClipList& list) {
  std::vector<int64_t> counts(list.labels.size());
  for (const Clip& clip : list.clips)
    for (int32_t label : clip.labels) ++counts[static_cast<std::size_t>(label)];
  return counts;
}

}  // namespace melgrad
