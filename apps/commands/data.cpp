// melgrad data LAYOUT DIR: what a data set holds, before a network sees it.
#include <fmt/format.h>

#include <array>
#include <memory>
#include <mutex>

#include "apps/command.h"
#include "apps/config.h"
#include "apps/load_data.h"
#include "apps/progress.h"
#include "apps/table.h"
#include "audio/labels.h"
#include "audio/segments.h"
#include "audio/split.h"
#include "kernels/thread_pool.h"

namespace melgrad {
namespace {

struct Options : CommonOptions {
  std::string layout, folder;
  std::vector<std::string> settings;
  bool quick = false;
};

// The layout's published split where it has one, unless --set says otherwise.
DataOptions data_options(const Options& options) {
  DataOptions data;
  data.untagged = Untagged::keep;
  try {
    data.reader = parse_enum<Reader>("data", options.layout);
    const bool published = data.reader == Reader::fma || data.reader == Reader::mtat;
    if (published) data.split = SplitKind::official;
    for (const std::string& setting : options.settings) {
      const auto equals = setting.find('=');
      require(setting.starts_with("data.") && equals != std::string::npos,
              "--set {}: expected data.key=value, such as data.split=lists", setting);
      const std::string key = setting.substr(5, equals - 5);
      require(set_option(data, "data", key, setting.substr(equals + 1)), "unknown key 'data.{}'; [data] has {}", key,
              option_names<DataOptions>());
    }
    validate(data);
    require(data.reader != Reader::arrays, "data: arrays are numbers without files; numpy.load shows them");
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  return data;
}

// Decodes every file; what cannot be decoded is returned, in the reader's order.
std::vector<SkippedClip> check_files(const ClipList& list) {
  std::vector<std::string> problems(list.clips.size());
  ProgressBar bar("reading", static_cast<int64_t>(list.clips.size()), "files");
  std::mutex mutex;
  int64_t done = 0;
  thread_pool().run(static_cast<int64_t>(list.clips.size()), [&](int64_t i) {
    const auto index = static_cast<std::size_t>(i);
    problems[index] = problem_with(list.clips[index].path);
    const std::lock_guard lock(mutex);
    bar.update(++done);
  });
  std::vector<SkippedClip> skipped;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    std::error_code error;
    if (!problems[i].empty())
      skipped.push_back({list.clips[i].name, problems[i], !std::filesystem::exists(list.clips[i].path, error)});
  }
  return skipped;
}

// Clips of each split, all in all and by label; a column more for clips without a split.
struct Counts {
  std::array<int64_t, 4> clips{};                // train, valid, test, unassigned
  std::vector<std::array<int64_t, 4>> by_label;  // likewise
};

std::size_t column_of(Split split) {
  return split == Split::train ? 0 : split == Split::valid ? 1 : split == Split::test ? 2 : 3;
}

// Splits drawn at random are drawn over clips: training draws again over those that can be used, with its own seed.
Counts count(ClipList list, const DataOptions& options) {
  const bool drawn = options.split == SplitKind::random_tracks || options.split == SplitKind::random_segments;
  if (drawn) {
    std::vector<int32_t> clip(list.clips.size());
    for (std::size_t i = 0; i < clip.size(); ++i) clip[i] = static_cast<int32_t>(i);
    const SplitIndices indices = split_samples(options, 0, list.clips, clip);
    for (int64_t i : indices.train) list.clips[static_cast<std::size_t>(i)].split = Split::train;
    for (int64_t i : indices.valid) list.clips[static_cast<std::size_t>(i)].split = Split::valid;
    for (int64_t i : indices.test) list.clips[static_cast<std::size_t>(i)].split = Split::test;
  }
  Counts counts;
  counts.by_label.resize(list.labels.size());
  for (const Clip& clip : list.clips) {
    const std::size_t column = column_of(clip.split);
    ++counts.clips[column];
    for (int32_t label : clip.labels) ++counts.by_label[static_cast<std::size_t>(label)][column];
  }
  return counts;
}

std::vector<std::string> row_of(const std::string& name, const std::array<int64_t, 4>& counts, bool unassigned) {
  std::vector<std::string> row{name, with_commas(counts[0] + counts[1] + counts[2] + counts[3])};
  for (std::size_t i = 0; i < (unassigned ? 4u : 3u); ++i) row.push_back(with_commas(counts[i]));
  return row;
}

Json json_of(const std::array<int64_t, 4>& counts) {
  return {{"train", counts[0]}, {"valid", counts[1]}, {"test", counts[2]}, {"unassigned", counts[3]}};
}

void print_counts(const ClipList& list, const Counts& counts, const std::string& protocol) {
  const bool unassigned = counts.clips[3] > 0;
  std::vector<std::vector<std::string>> rows{{"label", "clips", "train", "valid", "test"}};
  if (unassigned) rows.front().push_back("no split");
  for (std::size_t label = 0; label < list.labels.size(); ++label)
    rows.push_back(row_of(list.labels[label], counts.by_label[label], unassigned));
  rows.push_back(row_of("all clips", counts.clips, unassigned));
  fmt::print("{}\nsplit: {}\n", format_table(rows), protocol);
}

void run(const Options& options) {
  set_threads(options.threads);
  const DataOptions data = data_options(options);
  const ClipList list = read_clips(options.folder, data);
  const Counts counts = count(list, data);
  const std::string protocol = describe_split(data, list.protocol);
  const std::vector<SkippedClip> skipped = options.quick ? std::vector<SkippedClip>{} : check_files(list);
  if (options.json) {
    Json object{{"layout", options.layout},        {"protocol", protocol},    {"clips", list.clips.size()},
                {"splits", json_of(counts.clips)}, {"labels", Json::array()}, {"skipped", Json::array()},
                {"ignored", list.ignored}};
    for (std::size_t i = 0; i < list.labels.size(); ++i)
      object["labels"].push_back({{"label", list.labels[i]}, {"splits", json_of(counts.by_label[i])}});
    for (const SkippedClip& clip : skipped)
      object["skipped"].push_back({{"file", clip.name}, {"reason", clip.reason}, {"missing", clip.missing}});
    return print_json(object);
  }
  print_counts(list, counts, protocol);
  if (!list.ignored.empty()) fmt::print("{} files or folders there are no part of the set\n", list.ignored.size());
  if (options.quick) return;
  if (skipped.empty()) fmt::print("all {} files can be read\n", with_commas(static_cast<int64_t>(list.clips.size())));
  std::fflush(stdout);
  report_skipped(skipped);
}

}  // namespace

void add_data_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("data", "what a data set holds: splits, labels, files that cannot be read");
  auto options = std::make_shared<Options>();
  command->add_option("LAYOUT", options->layout, "folders, fma, mtat, msd-key or manifest")->required();
  command->add_option("DIR", options->folder, "the data set's folder; of a manifest the CSV file")->required();
  command->add_option("--set", options->settings, "data.key=value, as in a recipe")->allow_extra_args(false);
  command->add_flag("--quick", options->quick, "count only: open no audio file");
  command->add_option("--threads", options->threads, "CPU threads; 0: one a processor")->check(CLI::Range(0, 1024));
  add_json_option(*command, *options);
  command->callback([options] { run(*options); });
}

}  // namespace melgrad
