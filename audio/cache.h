// A folder that keeps the features of clips, each with the parameters and the file that made it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "audio/segments.h"

namespace melgrad {

// One file a clip and set of parameters. It says in text what it was made of: the frontend, how clips are cut, the
// audio file's path, size and time of last change, then its checksum. It is used only if all of that agrees, so
// whatever changes, that and only that is computed anew; files of other parameters stay beside it. Entries are written
// beside and renamed: several processes may fill one cache and be killed at any instant. Delete the folder to be rid of
// it.
class FeatureCache {
 public:
  // Makes the folder. Throws Error if that cannot be done.
  FeatureCache(std::filesystem::path folder, const FrontendOptions& frontend, const DataOptions& data);

  // What is kept for a clip, if it is there, whole and made of this very file with these very parameters.
  std::optional<SegmentFeatures> find(const std::filesystem::path& clip) const;
  // Throws Error if the entry cannot be written.
  void store(const std::filesystem::path& clip, const SegmentFeatures& features) const;

  // Where a clip's entry lies.
  std::filesystem::path entry_path(const std::filesystem::path& clip) const;

 private:
  std::string header(const std::filesystem::path& clip) const;

  std::filesystem::path folder_;
  std::string parameters_;
};

}  // namespace melgrad
