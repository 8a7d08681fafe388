#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "audio/csv.h"
#include "audio/readers/readers.h"
#include "tensor/io/atomic_file.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

constexpr std::array subsets{"small", "medium", "large", "full"};  // each holds those before it

// tracks.csv: the first row has the group of each column ("set", "track"), the second its name, the third says that the
// first column is "track_id"; then come the tracks.
struct Tracks {
  std::string name;
  std::vector<CsvRow> rows;
  std::size_t split = 0, subset = 0, genre = 0;

  explicit Tracks(const fs::path& path) : name(path.string()) {
    require(fs::exists(path), "{}: no such file; data.reader = fma expects fma_metadata and fma_<subset> in the folder",
            name);
    rows = parse_csv(read_file(path), name);
    require(rows.size() > 3, "{}: {} rows; expected two of column names, one of the index and then tracks", name,
            rows.size());
    split = column("set", "split");
    subset = column("set", "subset");
    genre = column("track", "genre_top");
    const std::size_t columns = rows.front().fields.size();
    rows.erase(rows.begin(), rows.begin() + (rows[2].fields.front() == "track_id" ? 3 : 2));
    for (const CsvRow& row : rows)
      require(row.fields.size() == columns, "{}: line {}: {} fields, and the first row has {}", name, row.line,
              row.fields.size(), columns);
  }

  std::size_t column(const std::string& group, const std::string& column) const {
    const auto &groups = rows[0].fields, &columns = rows[1].fields;
    for (std::size_t i = 0; i < std::min(groups.size(), columns.size()); ++i)
      if (groups[i] == group && columns[i] == column) return i;
    fail("{}: no column '{}' under '{}' in its first two rows", name, column, group);
  }
};

Split split_of(const std::string& text, const Tracks& tracks, const CsvRow& row) {
  if (text == "training") return Split::train;
  if (text == "validation") return Split::valid;
  if (text == "test") return Split::test;
  fail("{}: line {}: set.split '{}' is not training, validation or test", tracks.name, row.line, text);
}

std::size_t rank_of(const std::string& subset) {
  return static_cast<std::size_t>(std::ranges::find(subsets, subset) - subsets.begin());
}

// 2 → "000/000002.mp3".
std::string path_of(const Tracks& tracks, const CsvRow& row) {
  const std::string& text = row.fields.front();
  uint32_t track = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), track);
  require(error == std::errc() && end == text.data() + text.size() && track < 1'000'000,
          "{}: line {}: '{}' is not the number of a track", tracks.name, row.line, text);
  return fmt::format("{:03}/{:06}.mp3", track / 1000, track);
}

}  // namespace

ClipList read_fma(const fs::path& folder, const DataOptions& options) {
  check_data_folder(folder, "fma_metadata/tracks.csv and fma_small in it");
  const std::size_t wanted = rank_of(options.subset);
  require(wanted < subsets.size(), "data.subset: '{}' is not small, medium, large or full", options.subset);
  const Tracks tracks(folder / "fma_metadata" / "tracks.csv");
  const std::string audio = "fma_" + options.subset;
  std::map<std::string, int32_t> genres;
  const auto in_subset = [&](const CsvRow& row) { return rank_of(row.fields[tracks.subset]) <= wanted; };
  ClipList list;
  int64_t without = 0;
  for (const CsvRow& row : tracks.rows) {
    if (!in_subset(row)) continue;
    const std::string& genre = row.fields[tracks.genre];
    genre.empty() ? void(++without) : void(genres[genre]);
  }
  for (auto& [genre, index] : genres) {
    check_label(genre, tracks.name);
    index = static_cast<int32_t>(list.labels.size());
    list.labels.push_back(genre);
  }
  for (const CsvRow& row : tracks.rows) {
    if (!in_subset(row) || row.fields[tracks.genre].empty()) continue;
    const std::string name = audio + "/" + path_of(tracks, row);
    list.clips.push_back({.path = folder / name,
                          .name = name,
                          .labels = {genres[row.fields[tracks.genre]]},
                          .split = split_of(row.fields[tracks.split], tracks, row)});
  }
  list.protocol = "FMA " + options.subset;
  if (without > 0) list.protocol += fmt::format("; {} tracks without a top genre left out", without);
  require(!list.clips.empty(), "{}: no tracks of the subset {}", tracks.name, options.subset);
  return list;
}

}  // namespace melgrad
