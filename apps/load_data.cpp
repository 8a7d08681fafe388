#include "apps/load_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "apps/load_arrays.h"
#include "apps/progress.h"
#include "audio/dataset.h"
#include "audio/labels.h"
#include "audio/readers/readers.h"
#include "audio/split.h"
#include "kernels/philox.h"
#include "kernels/thread_pool.h"

namespace melgrad {
namespace {

// `outputs` > 0: one row of so many targets a sample, 1 where the clip has the label.
void append_labels(Samples& samples, const std::vector<int32_t>& labels, int64_t outputs) {
  if (outputs == 0) {
    samples.labels.push_back(labels.front());
    return;
  }
  const std::size_t row = samples.targets.size();
  samples.targets.resize(row + static_cast<std::size_t>(outputs));
  for (int32_t label : labels) samples.targets[row + static_cast<std::size_t>(label)] = 1;
}

// Makes the samples of these indices, with clips numbered anew: the ones that occur, in order. `outputs` as above.
class Taker {
 public:
  Taker(std::shared_ptr<const FeatureSet> set, std::shared_ptr<const Frontend> frontend, const Config& config,
        const ClipList& list)
      : set_(std::move(set)),
        frontend_(std::move(frontend)),
        config_(config),
        outputs_(list.multi_label ? static_cast<int64_t>(list.labels.size()) : 0),
        keys_(list.labels == key_labels()) {}

  Samples take(const std::vector<int64_t>& indices) const {
    Samples samples{.input = input_shape(set_->frames, set_->bins), .outputs = outputs_, .keys = keys_};
    std::vector<int32_t> number(set_->clips.size(), -1);
    for (int64_t index : indices) {
      append_labels(samples, set_->labels(index), outputs_);
      int32_t& clip = number[static_cast<std::size_t>(set_->clip[static_cast<std::size_t>(index)])];
      if (clip < 0) clip = static_cast<int32_t>(samples.clips++);
      samples.clip.push_back(clip);
    }
    samples.source = std::make_shared<SegmentSource>(set_, indices, frontend_, config_.data, config_.augment);
    return samples;
  }

 private:
  std::shared_ptr<const FeatureSet> set_;
  std::shared_ptr<const Frontend> frontend_;
  const Config& config_;
  int64_t outputs_;
  bool keys_;
};

// A control: labels of training and validation drawn at random, clip by clip, from those that are there.
void shuffle_labels(Samples& samples, uint64_t seed, uint32_t stream) {
  std::vector<std::size_t> from(static_cast<std::size_t>(samples.clips));  // a sample of the clip that a clip's labels
  for (std::size_t i = 0; i < samples.clip.size(); ++i)
    from[static_cast<std::size_t>(samples.clip[i])] = i;  // come from
  Generator(seed, Draw::split, 1, stream).shuffle(from);
  const std::vector<int32_t> labels = samples.labels;
  const std::vector<float> targets = samples.targets;
  const auto outputs = static_cast<std::size_t>(samples.outputs);
  for (std::size_t i = 0; i < samples.clip.size(); ++i) {
    const std::size_t source = from[static_cast<std::size_t>(samples.clip[i])];
    if (!labels.empty()) samples.labels[i] = labels[source];
    if (!targets.empty())
      std::copy_n(targets.begin() + source * outputs, outputs, samples.targets.begin() + i * outputs);
  }
}

// A run fixes which label has which number. What the data have beyond these is an error for whoever uses the labels.
void follow_run(ClipList& list, const std::vector<std::string>& labels) {
  const std::set<std::string> known(labels.begin(), labels.end());
  if (std::ranges::all_of(list.labels, [&](const std::string& label) { return known.contains(label); }))
    use_labels(list, labels);
}

// Arrays for a network that a run has trained, on audio maybe: classes are numbers of its labels, and an axis of one
// channel at the end may be left out.
void follow_run(LoadedData& data, const Config& config) {
  if (data.labels.size() <= config.labels.size()) data.labels = config.labels;
  for (Samples* samples : {&data.train, &data.valid, &data.test}) {
    Shape with_channel = samples->input;
    with_channel.append(1);
    if (with_channel == config.input) samples->input = with_channel;
  }
}

}  // namespace

LoadedData load_data(const Config& config, const std::filesystem::path& folder, Purpose purpose) {
  if (config.data.reader == Reader::arrays) {
    LoadedData data = load_arrays(folder, purpose);
    if (!config.labels.empty()) follow_run(data, config);
    return data;
  }
  ClipList list = read_clips(folder, config.data);
  if (!config.labels.empty()) follow_run(list, config.labels);
  const auto frontend = std::make_shared<const Frontend>(config.frontend);
  const bool samples_change = config.augment.changes_samples() || config.data.crop == CropPosition::random;
  const Keep keep = what_to_keep(*frontend, samples_change && purpose == Purpose::training);
  std::shared_ptr<const FeatureSet> set;
  {
    ProgressBar bar("features", static_cast<int64_t>(list.clips.size()), "clips");
    set = std::make_shared<const FeatureSet>(compute_features(
        list, *frontend, config.data, thread_pool(), [&](int64_t done, int64_t) { bar.update(done); }, keep));
  }
  report_skipped(set->skipped);
  const SplitIndices split = split_samples(config.data, config.train.seed, set->clips, set->clip);
  LoadedData data;
  data.labels = list.labels;
  data.multi_label = list.multi_label;
  data.skipped = set->skipped;
  data.whole_clips = config.data.split != SplitKind::random_segments;
  data.protocol = describe_split(config.data, list.protocol);
  const Taker taker(set, frontend, config, list);
  data.train = taker.take(split.train);
  data.valid = taker.take(split.valid);
  data.test = taker.take(split.test);
  if (config.train.shuffle_labels) {
    shuffle_labels(data.train, config.train.seed, 0);
    shuffle_labels(data.valid, config.train.seed, 1);
    data.protocol += "; training and validation labels shuffled";
  }
  return data;
}

void fit_labels(LoadedData& data, const Config& config) {
  auto outputs = static_cast<int64_t>(data.labels.size());
  if (!config.layers.empty()) {
    Sequential network = make_network(config.layers);
    outputs = network.build(data.train.input).numel();
    if (data.train.targets.empty())
      for (auto c = static_cast<int64_t>(data.labels.size()); c < outputs; ++c)
        data.labels.push_back(std::to_string(c));
  }
  for (Samples* samples : {&data.train, &data.valid, &data.test}) fit_targets(*samples, config.train.loss, outputs);
  if (config.augment.mixup > 0 && data.train.targets.empty()) make_one_hot_targets(data.train, outputs);
}

const Samples& split_of(const LoadedData& data, const std::string& split) {
  if (split == "train") return data.train;
  if (split == "valid") return data.valid;
  require(split == "test", "split: '{}' is not train, valid or test", split);
  return data.test;
}

Shape input_shape(int64_t frames, int64_t bins) {
  return bins == 1 ? Shape{frames, 1} : Shape{frames, bins, 1};
}

void report_skipped(const std::vector<SkippedClip>& skipped) {
  constexpr std::size_t shown = 10;
  if (skipped.empty()) return;
  const auto missing = std::ranges::count_if(skipped, &SkippedClip::missing);
  fmt::print(stderr, "skipped {} file{} that cannot be used ({} missing, {} unreadable or too short):\n",
             skipped.size(), skipped.size() == 1 ? "" : "s", missing, static_cast<int64_t>(skipped.size()) - missing);
  for (std::size_t i = 0; i < std::min(shown, skipped.size()); ++i)
    fmt::print(stderr, "  {}: {}\n", skipped[i].name, skipped[i].reason);
  if (skipped.size() > shown) fmt::print(stderr, "  and {} more\n", skipped.size() - shown);
}

}  // namespace melgrad
