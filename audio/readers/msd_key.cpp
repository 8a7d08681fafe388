#include <algorithm>
#include <map>

#include "audio/csv.h"
#include "audio/readers/readers.h"
#include "kernels/error.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

// The one .csv of the folder.
fs::path find_table(const fs::path& folder) {
  fs::path found;
  for (const fs::directory_entry& entry : sorted_entries(folder)) {
    if (entry.path().extension() != ".csv") continue;
    require(found.empty(), "{}: two tables, {} and {}; leave the one with the keys", folder.string(),
            found.filename().string(), entry.path().filename().string());
    found = entry.path();
  }
  require(!found.empty(),
          "{}: no .csv; data.reader = msd-key expects one with track_id, key, key_confidence, mode and "
          "mode_confidence",
          folder.string());
  return found;
}

// The file of each track in DIR/K-M, by its name without the extension. Audio comes before a picture of it.
std::map<std::string, fs::path> files_of(const fs::path& folder) {
  std::map<std::string, fs::path> files;
  if (!fs::is_directory(folder)) return files;
  for (const fs::directory_entry& entry : sorted_entries(folder)) {
    const bool audio = has_audio_extension(entry.path());
    if (!audio && entry.path().extension() != ".png") continue;
    auto& file = files[entry.path().stem().string()];
    if (file.empty() || audio) file = entry.path();
  }
  return files;
}

int64_t whole(const CsvTable& table, const CsvRow& row, std::size_t column, int64_t largest) {
  const double value = table.number(row, column);
  const auto number = static_cast<int64_t>(value);
  require(value >= 0 && value <= static_cast<double>(largest) && static_cast<double>(number) == value,
          "line {} of the keys: {} is {}, expected 0 … {}", row.line, table.columns()[column], value, largest);
  return number;
}

}  // namespace

std::vector<std::string> key_labels() {
  std::vector<std::string> labels;
  for (const char* tonic : {"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"})
    for (const char* mode : {"minor", "major"}) labels.push_back(fmt::format("{} {}", tonic, mode));
  return labels;
}

ClipList read_msd_key(const fs::path& folder, const DataOptions& options) {
  check_data_folder(folder, "a .csv of keys and folders <key>-<mode>");
  const CsvTable table(find_table(folder));
  const std::size_t track = table.column("track_id"), key = table.column("key"), mode = table.column("mode"),
                    key_confidence = table.column("key_confidence"), mode_confidence = table.column("mode_confidence");
  ClipList list;
  list.labels = key_labels();
  std::vector<std::map<std::string, fs::path>> files;
  for (int64_t label = 0; label < 24; ++label)
    files.push_back(files_of(folder / fmt::format("{}-{}", label / 2, label % 2)));
  int64_t unsure = 0;
  for (const CsvRow& row : table.rows()) {
    const int64_t label = 2 * whole(table, row, key, 11) + whole(table, row, mode, 1);
    if (table.number(row, key_confidence) < options.key_confidence ||
        table.number(row, mode_confidence) < options.mode_confidence) {
      ++unsure;
      continue;
    }
    const std::string& id = row.fields[track];
    const auto& there = files[static_cast<std::size_t>(label)];
    const auto found = there.find(id);
    const fs::path path =
        found != there.end() ? found->second : folder / fmt::format("{}-{}/{}.mp3", label / 2, label % 2, id);
    list.clips.push_back(
        {.path = path, .name = path.lexically_relative(folder).string(), .labels = {static_cast<int32_t>(label)}});
  }
  list.protocol = fmt::format(
      "keys with confidence of at least {:g} and of at least {:g} in the mode; {} less sure left "
      "out",
      options.key_confidence, options.mode_confidence, unsure);
  require(!list.clips.empty(),
          "{}: no track is sure enough of its key; lower data.key_confidence ({:g}) or "
          "data.mode_confidence ({:g})",
          folder.string(), options.key_confidence, options.mode_confidence);
  return list;
}

}  // namespace melgrad
