#include "audio/split.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "kernels/error.h"
#include "kernels/philox.h"

namespace melgrad {
namespace {

// Rounded up, as scikit-learn's train_test_split does.
int64_t part(double fraction, int64_t n) {
  return static_cast<int64_t>(std::ceil(fraction * static_cast<double>(n)));
}

// What each place of a shuffled order of n is for: the test first, then validation. At least `keep` stay for training.
Split split_at(const DataOptions& options, int64_t place, int64_t n, int64_t keep) {
  const int64_t test = std::min(part(options.test, n), n - keep);
  const int64_t valid = std::min(part(options.valid, n - test), n - test - keep);
  if (place < test) return Split::test;
  return place < test + valid ? Split::valid : Split::train;
}

std::vector<Split> split_segments(const DataOptions& options, uint64_t seed, std::size_t samples) {
  std::vector<std::size_t> order(samples);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Generator(seed, Draw::split).shuffle(order);
  std::vector<Split> splits(samples);
  for (std::size_t place = 0; place < samples; ++place)
    splits[order[place]] = split_at(options, static_cast<int64_t>(place), static_cast<int64_t>(samples), 0);
  return splits;
}

std::vector<Split> split_clips(const DataOptions& options, uint64_t seed, std::span<const Clip> clips) {
  std::map<int32_t, std::vector<std::size_t>> by_label;
  const auto class_of = [](const Clip& clip) { return clip.labels.size() == 1 ? clip.labels.front() : -1; };
  const bool one_each = std::ranges::all_of(clips, [&](const Clip& clip) { return class_of(clip) >= 0; });
  for (std::size_t i = 0; i < clips.size(); ++i) by_label[one_each ? class_of(clips[i]) : 0].push_back(i);
  std::vector<Split> splits(clips.size());
  for (auto& [label, order] : by_label) {
    Generator(seed, Draw::split, static_cast<uint32_t>(label) + 1).shuffle(order);
    for (std::size_t place = 0; place < order.size(); ++place)
      splits[order[place]] = split_at(options, static_cast<int64_t>(place), static_cast<int64_t>(order.size()), 1);
  }
  return splits;
}

}  // namespace

SplitIndices split_samples(const DataOptions& options, uint64_t seed, std::span<const Clip> clips,
                           std::span<const int32_t> clip) {
  const bool by_segment = options.split == SplitKind::random_segments;
  std::vector<Split> splits;  // of segments, or of clips
  if (by_segment) splits = split_segments(options, seed, clip.size());
  if (options.split == SplitKind::random_tracks) splits = split_clips(options, seed, clips);
  if (options.split == SplitKind::lists || options.split == SplitKind::official)
    for (const Clip& one : clips) splits.push_back(one.split);

  SplitIndices indices;
  for (std::size_t i = 0; i < clip.size(); ++i) {
    const Split split = splits[by_segment ? i : static_cast<std::size_t>(clip[i])];
    require(split != Split::unassigned, "{}: has no split; use data.split = random-tracks",
            clips[static_cast<std::size_t>(clip[i])].path.string());
    auto& list = split == Split::train ? indices.train : split == Split::valid ? indices.valid : indices.test;
    list.push_back(static_cast<int64_t>(i));
  }
  return indices;
}

namespace {

std::string words_for(const DataOptions& options) {
  const std::string sizes =
      fmt::format("{:g} % test, then {:g} % of the rest validation", 100 * options.test, 100 * options.valid);
  switch (options.split) {
    case SplitKind::random_segments:
      return options.segments == 1
                 ? fmt::format("random over clips ({})", sizes)
                 : fmt::format("random over segments ({}): pieces of one clip are on both sides", sizes);
    case SplitKind::random_tracks:
      return fmt::format("random over clips kept whole, class by class ({})", sizes);
    case SplitKind::lists:
      return "as the data set's lists say";
    case SplitKind::official:
      if (options.reader == Reader::mtat)
        return "official: folders 0 to b train, c validates, d to f test" +
               (options.folders == "all" ? "" : "; of these " + options.folders);
      return "official: as the data set says";
  }
  return {};
}

}  // namespace

std::string describe_split(const DataOptions& options, const std::string& protocol) {
  return words_for(options) + (protocol.empty() ? "" : "; " + protocol);
}

}  // namespace melgrad
