#include "audio/reader.h"

#include <algorithm>

#include "audio/labels.h"
#include "audio/readers/readers.h"

namespace melgrad {
namespace {

ClipList read_layout(const std::filesystem::path& folder, const DataOptions& options) {
  switch (options.reader) {
    case Reader::folders: {
      const bool listed = options.split == SplitKind::lists || options.split == SplitKind::official;
      return listed ? read_listed_folders(folder) : read_folders(folder);
    }
    case Reader::fma:
      return read_fma(folder, options);
    case Reader::mtat:
      return read_mtat(folder, options);
    case Reader::msd_key:
      return read_msd_key(folder, options);
    case Reader::manifest:
      return read_manifest(folder);
    case Reader::arrays:  // no clips: apps/load_arrays.h
      break;
  }
  fail("{}: no audio for reader '{}'", folder.string(), name_of(options.reader));
}

}  // namespace

ClipList read_clips(const std::filesystem::path& folder, const DataOptions& options) {
  validate(options);
  require(options.labels != "top-50" || options.reader == Reader::mtat,
          "data.labels: top-50 is of the reader mtat, not of {}", name_of(options.reader));
  require(options.split != SplitKind::lists || options.reader == Reader::folders || options.reader == Reader::mtat,
          "data.split: reader {} has no lists; use official, random-tracks or random-segments",
          name_of(options.reader));
  require(options.split != SplitKind::official || options.reader != Reader::msd_key,
          "data.split: these keys come without a split; use random-tracks");
  ClipList list = read_layout(folder, options);
  choose_labels(list, options);
  return list;
}

Reader layout_of(const std::filesystem::path& data) {
  namespace fs = std::filesystem;
  if (fs::is_regular_file(data)) return Reader::manifest;
  if (fs::exists(data / "annotations_final.csv")) return Reader::mtat;
  if (fs::exists(data / "fma_metadata" / "tracks.csv")) return Reader::fma;
  if (!fs::is_directory(data)) return Reader::folders;  // whose reader says what is missing
  const auto entries = sorted_entries(data);
  const bool table = std::ranges::any_of(entries, [](const auto& entry) { return entry.path().extension() == ".csv"; });
  return table ? Reader::msd_key : Reader::folders;
}

}  // namespace melgrad
