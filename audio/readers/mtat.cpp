#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <set>

#include "audio/csv.h"
#include "audio/labels.h"
#include "audio/readers/readers.h"
#include "kernels/error.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view folder_names = "0123456789abcdef";

// "0-b,f" → the places of these folders among the sixteen; the order of mention does not matter.
std::set<std::size_t> chosen_folders(const std::string& text) {
  std::set<std::size_t> chosen;
  const auto place = [&](char c) {
    const std::size_t found = folder_names.find(c);
    require(found != std::string_view::npos, "data.folders: '{}': expected all, or folders 0 … f such as 0-b or d,e,f",
            text);
    return found;
  };
  if (text == "all") {
    for (std::size_t i = 0; i < folder_names.size(); ++i) chosen.insert(i);
    return chosen;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ',') continue;
    const std::size_t first = place(text[i]);
    std::size_t last = first;
    if (i + 2 < text.size() && text[i + 1] == '-') last = place(text[i += 2]);
    for (std::size_t one = first; one <= last; ++one) chosen.insert(one);
  }
  return chosen;
}

// As Dieleman and Schrauwen split it ("End-to-end learning for music audio", ICASSP 2014), and most since.
Split split_of_folder(std::size_t folder) {
  return folder < 12 ? Split::train : folder == 12 ? Split::valid : Split::test;
}

// Which tag counts as which, by a file of lines "tag: synonym, synonym".
std::map<std::string, std::string> read_synonyms(const fs::path& path) {
  std::map<std::string, std::string> meaning;
  const auto trimmed = [](std::string text) {
    text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  for (const std::string& line : read_lines(path, "lines such as \"female vocal: female voice, woman singing\"")) {
    const auto colon = line.find(':');
    require(colon != std::string::npos, "{}: '{}' is not like \"tag: synonym, synonym\"", path.string(), line);
    const std::string tag = trimmed(line.substr(0, colon));
    for (std::size_t at = colon + 1; at < line.size();) {
      const std::size_t comma = std::min(line.find(',', at), line.size());
      const std::string synonym = trimmed(line.substr(at, comma - at));
      require(!synonym.empty() && meaning.emplace(synonym, tag).second, "{}: '{}' is empty or stands twice",
              path.string(), synonym);
      at = comma + 1;
    }
  }
  for (const auto& [synonym, tag] : meaning)
    require(!meaning.contains(tag), "{}: '{}' is a synonym itself, so nothing can count as it", path.string(), tag);
  return meaning;
}

void merge_synonyms(ClipList& list, const fs::path& path) {
  const auto meaning = read_synonyms(path);
  std::map<std::string, int32_t> number;
  std::vector<std::string> merged;
  for (const std::string& label : list.labels) {
    if (meaning.contains(label)) continue;
    number.emplace(label, static_cast<int32_t>(merged.size()));
    merged.push_back(label);
  }
  for (const auto& [synonym, tag] : meaning)
    require(number.contains(tag) && std::ranges::find(list.labels, synonym) != list.labels.end(),
            "{}: '{}' or '{}' is no tag of the data set", path.string(), tag, synonym);
  for (Clip& clip : list.clips) {
    std::set<int32_t> labels;
    for (int32_t label : clip.labels) {
      const std::string& name = list.labels[static_cast<std::size_t>(label)];
      labels.insert(number.at(meaning.contains(name) ? meaning.at(name) : name));
    }
    clip.labels.assign(labels.begin(), labels.end());
  }
  list.labels = std::move(merged);
  list.protocol += fmt::format("{} tags merged into others by {}", meaning.size(), path.filename().string());
}

// The 50 with the most clips, rarest first, equal ones in the order they have.
std::vector<std::string> most_frequent(const ClipList& list) {
  const std::vector<int64_t> counts = label_counts(list);
  std::vector<std::size_t> order(counts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
  order.resize(std::min<std::size_t>(50, order.size()));
  std::ranges::reverse(order);
  std::vector<std::string> labels;
  for (std::size_t one : order) labels.push_back(list.labels[one]);
  return labels;
}

// Split::unassigned for clips that stand in no list.
void apply_lists(ClipList& list, const fs::path& folder) {
  std::map<std::string, Split> listed;
  for (Split split : {Split::train, Split::valid, Split::test}) {
    const fs::path path = folder / fmt::format("{}.txt", name_of(split));
    require(fs::exists(path), "{}: no such file; data.split = lists expects train.txt, valid.txt and test.txt",
            path.string());
    for (const std::string& name : read_lines(path, "clips, such as f/clip.mp3"))
      require(listed.emplace(name, split).second, "{}: '{}' is listed twice", path.string(), name);
  }
  const std::size_t all = list.clips.size();
  std::erase_if(list.clips, [&](const Clip& clip) { return !listed.contains(clip.name); });
  for (Clip& clip : list.clips) clip.split = listed.at(clip.name);
  if (list.clips.size() < all)
    list.protocol += fmt::format("{}{} clips in none of the lists left out", list.protocol.empty() ? "" : "; ",
                                 all - list.clips.size());
}

}  // namespace

ClipList read_mtat(const fs::path& folder, const DataOptions& options) {
  check_data_folder(folder, "annotations_final.csv and the folders 0 … f");
  const CsvTable table(folder / "annotations_final.csv", '\t');
  const std::size_t path_column = table.column("mp3_path");
  ClipList list;
  list.multi_label = true;
  std::vector<std::size_t> tag_columns;
  for (std::size_t i = 0; i < table.columns().size(); ++i) {
    if (i == path_column || table.columns()[i] == "clip_id") continue;
    check_label(table.columns()[i], folder.string());
    tag_columns.push_back(i);
    list.labels.push_back(table.columns()[i]);
  }
  const std::set<std::size_t> folders = chosen_folders(options.folders);
  for (const CsvRow& row : table.rows()) {
    const std::string& path = row.fields[path_column];
    const std::size_t place = path.size() > 2 && path[1] == '/' ? folder_names.find(path[0]) : std::string::npos;
    require(place != std::string_view::npos, "{}: line {}: mp3_path '{}' is not in a folder 0 … f",
            (folder / "annotations_final.csv").string(), row.line, path);
    if (!folders.contains(place)) continue;
    Clip clip{.path = folder / path, .name = path, .labels = {}, .split = split_of_folder(place)};
    for (std::size_t tag = 0; tag < tag_columns.size(); ++tag)
      if (row.fields[tag_columns[tag]] == "1") clip.labels.push_back(static_cast<int32_t>(tag));
    list.clips.push_back(std::move(clip));
  }
  if (options.synonyms != "none") merge_synonyms(list, options.synonyms);
  if (options.split == SplitKind::lists) apply_lists(list, folder);
  if (options.labels == "top-50") use_labels(list, options.synonyms == "none" ? mtat_top_50() : most_frequent(list));
  return list;
}

}  // namespace melgrad
