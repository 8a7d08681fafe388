#include "audio/folders.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <set>

#include "kernels/utf8.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

constexpr std::array audio_extensions{".wav",  ".flac", ".ogg", ".oga", ".opus", ".mp3",  ".aif",
                                      ".aiff", ".aifc", ".au",  ".snd", ".w64",  ".rf64", ".caf",
                                      ".wve",  ".voc",  ".mp2", ".m1a", ".nist", ".sph"};

void check_folder(const fs::path& folder) {
  std::error_code error;
  require(fs::exists(folder, error), "{}: no such folder; give a data set's folder, with one folder of audio a class",
          folder.string());
  require(fs::is_directory(folder, error),
          "{}: not a folder; give a data set's folder, with one folder of audio a class", folder.string());
}

// A run's configuration, JSON and pictures hold the names of classes.
void check_label(const std::string& label, const fs::path& folder) {
  require(printable(label) == label, "{}: the name of class '{}' is not UTF-8 or has control characters; rename it",
          printable(folder.string()), printable(label));
}

// Sorted by bytes, without hidden entries.
std::vector<fs::directory_entry> entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::directory_entry> list;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (!it->path().filename().string().starts_with('.')) list.push_back(*it);
  }
  require(!error, "{}: cannot be listed: {}", folder.string(), error.message());
  std::ranges::sort(list, {}, [](const fs::directory_entry& entry) { return entry.path().filename().string(); });
  return list;
}

bool is_folder(const fs::directory_entry& entry) {
  std::error_code error;
  return entry.is_directory(error);
}

std::string trimmed(const std::string& line) {
  constexpr const char* blank = " \t\r\n";
  const auto begin = line.find_first_not_of(blank);
  return begin == std::string::npos ? "" : line.substr(begin, line.find_last_not_of(blank) - begin + 1);
}

struct ListedClip {
  std::string name;
  std::string label;
};

std::vector<ListedClip> read_list(const fs::path& path) {
  std::ifstream file(path);
  require(file.is_open(), "{}: cannot be read", path.string());
  std::vector<ListedClip> listed;
  std::string line;
  for (int64_t number = 1; std::getline(file, line); ++number) {
    const std::string name = trimmed(line);
    if (name.empty()) continue;
    const auto slash = name.find('/');
    require(slash != std::string::npos && slash > 0 && slash + 1 < name.size(),
            "{}: line {}: '{}' is not a path like class/file.wav", path.string(), number, name);
    listed.push_back({name, name.substr(0, slash)});
  }
  require(!listed.empty(), "{}: names no clips; give one path a line, such as class/file.wav", path.string());
  return listed;
}

// "train" → DIR/train.txt or DIR/train_filtered.txt.
fs::path list_path(const fs::path& folder, std::string_view suffix, Split split) {
  return folder / fmt::format("{}{}.txt", name_of(split), suffix);
}

}  // namespace

bool has_audio_extension(const fs::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; });
  return std::ranges::find(audio_extensions, extension) != audio_extensions.end();
}

ClipList read_folders(const fs::path& folder) {
  check_folder(folder);
  ClipList list;
  for (const fs::directory_entry& entry : entries(folder)) {
    const std::string label = entry.path().filename().string();
    if (!is_folder(entry)) {
      list.ignored.push_back(label);
      continue;
    }
    const std::size_t before = list.clips.size();
    for (const fs::directory_entry& file : entries(entry.path())) {
      const std::string name = label + "/" + file.path().filename().string();
      if (is_folder(file) || !has_audio_extension(file.path())) {
        list.ignored.push_back(name);
      } else {
        list.clips.push_back({.path = file.path(), .name = name, .label = static_cast<int32_t>(list.labels.size())});
      }
    }
    if (list.clips.size() > before) {
      check_label(label, folder);
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
  check_folder(folder);
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
    check_label(label, folder);
    index = static_cast<int32_t>(list.labels.size());
    list.labels.push_back(label);
  }
  for (std::size_t i = 0; i < splits.size(); ++i) {
    for (const ListedClip& clip : listed[i])
      list.clips.push_back({folder / clip.name, clip.name, labels[clip.label], splits[i]});
  }
  return list;
}

}  // namespace melgrad
