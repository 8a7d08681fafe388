#include <algorithm>
#include <array>
#include <map>

#include "audio/readers/readers.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view expected = "one folder of audio a class";

bool is_folder(const fs::directory_entry& entry) {
  std::error_code error;
  return entry.is_directory(error);
}

struct ListedClip {
  std::string name;
  std::string label;
};

std::vector<ListedClip> read_list(const fs::path& path) {
  std::vector<ListedClip> listed;
  for (const std::string& name : read_lines(path, "clips, such as class/file.wav")) {
    const auto slash = name.find('/');
    require(slash != std::string::npos && slash > 0 && slash + 1 < name.size(),
            "{}: '{}' is not a path like class/file.wav", path.string(), name);
    listed.push_back({name, name.substr(0, slash)});
  }
  return listed;
}

// "train" → DIR/train.txt or DIR/train_filtered.txt.
fs::path list_path(const fs::path& folder, std::string_view suffix, Split split) {
  return folder / fmt::format("{}{}.txt", name_of(split), suffix);
}

}  // namespace

ClipList read_folders(const fs::path& folder) {
  check_data_folder(folder, expected);
  ClipList list;
  for (const fs::directory_entry& entry : sorted_entries(folder)) {
    const std::string label = entry.path().filename().string();
    if (!is_folder(entry)) {
      list.ignored.push_back(label);
      continue;
    }
    const std::size_t before = list.clips.size();
    for (const fs::directory_entry& file : sorted_entries(entry.path())) {
      const std::string name = label + "/" + file.path().filename().string();
      if (is_folder(file) || !has_audio_extension(file.path())) {
        list.ignored.push_back(name);
      } else {
        list.clips.push_back({.path = file.path(), .name = name, .labels = {static_cast<int32_t>(list.labels.size())}});
      }
    }
    if (list.clips.size() > before) {
      check_label(label, folder.string());
      list.labels.push_back(label);
    } else {
      list.ignored.push_back(label);
    }
  }
  require(!list.labels.empty(), "{}: no classes; expected one folder a class with audio files in it: {}",
          folder.string(), (folder / "<class>" / "<file>.wav").string());
  return list;
}

ClipList read_listed_folders(const fs::path& folder) {
  check_data_folder(folder, expected);
  constexpr std::array splits{Split::train, Split::valid, Split::test};
  const auto all_there = [&](std::string_view suffix) {
    return std::ranges::all_of(splits, [&](Split split) { return fs::exists(list_path(folder, suffix, split)); });
  };
  const std::string_view suffix = !all_there("") && all_there("_filtered") ? "_filtered" : "";
  require(all_there(suffix),
          "{}: data.split = lists expects train.txt, valid.txt and test.txt there (or GTZAN's *_filtered.txt)",
          folder.string());
  std::map<std::string, int32_t> labels;
  std::map<std::string, Split> seen;
  std::array<std::vector<ListedClip>, splits.size()> listed;
  for (std::size_t i = 0; i < splits.size(); ++i) {
    listed[i] = read_list(list_path(folder, suffix, splits[i]));
    for (const ListedClip& clip : listed[i]) {
      labels[clip.label];
      const auto [before, is_new] = seen.emplace(clip.name, splits[i]);
      require(is_new, "{}: '{}' is listed twice, for {} and for {}", folder.string(), clip.name,
              name_of(before->second), name_of(splits[i]));
    }
  }
  ClipList list;
  for (auto& [label, index] : labels) {
    check_label(label, folder.string());
    index = static_cast<int32_t>(list.labels.size());
    list.labels.push_back(label);
  }
  for (std::size_t i = 0; i < splits.size(); ++i) {
    for (const ListedClip& clip : listed[i])
      list.clips.push_back({folder / clip.name, clip.name, {labels[clip.label]}, splits[i]});
  }
  return list;
}

}  // namespace melgrad
