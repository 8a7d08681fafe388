#include "audio/reader.h"

#include "audio/folders.h"

namespace melgrad {

ClipList read_clips(const std::filesystem::path& folder, const DataOptions& options) {
  validate(options);
  switch (options.reader) {
    case Reader::folders:
      return options.split == SplitKind::lists ? read_listed_folders(folder) : read_folders(folder);
    case Reader::arrays:  // no clips: apps/load_arrays.h
      break;
  }
  fail("{}: no audio for reader '{}'", folder.string(), name_of(options.reader));
}

}  // namespace melgrad
