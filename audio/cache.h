// A folder that keeps what was made of clips, with the parameters and the files that made it.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audio/stored_clip.h"

namespace melgrad {

// FOLDER/<hash of the parameters>/: manifest.txt says in words what was made how; *.shard hold clips, up to 32 MiB of
// them each. A shard begins with an index, one line a clip: where it lies, its sizes and checksum, and the audio file's
// path, size and time of last change. A clip is used only if the parameters and the file are those, and its bytes are
// whole; so whatever changes, that and only that is computed anew. Shards are mapped, not read: what is not used costs no
// memory. They are written beside and renamed, never changed, and removed when all in them is out of date: several
// processes may fill one cache and be killed at any instant. What two of them compute at once is kept twice until one
// goes stale. Delete the folder to be rid of it.
class ClipCache {
 public:
  // Makes the folder and maps its shards. `parameters`: lines that say all that decides what is made of a clip; the
  // versions of the decoding libraries are added. Throws Error if the folder cannot be made.
  ClipCache(const std::filesystem::path& folder, const std::string& parameters);
  ~ClipCache();
  ClipCache(const ClipCache&) = delete;
  ClipCache& operator=(const ClipCache&) = delete;

  // What is kept for a clip, if it is there, whole and made of this very file. Any number of threads may ask at once.
  std::optional<StoredClip> find(const std::filesystem::path& clip);
  // Any number of threads may add at once; they are on the disk after flush(), or earlier. Throws Error if a shard cannot
  // be written.
  void add(const std::filesystem::path& clip, const StoredClip& stored);
  void flush();

  const std::filesystem::path& folder() const { return folder_; }

 private:
  struct Shard;
  struct Entry;
  void open_shard(const std::filesystem::path& path);
  void write_shard();
  void remove_stale_shards();

  std::filesystem::path folder_;
  std::string parameters_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::multimap<std::string, Entry*> entries_;  // by the audio file's absolute path
  std::mutex mutex_;                            // of what follows, and of the states of entries
  struct Pending {
    std::string file;  // its path, size and time, as the index has them
    StoredClip clip;
  };
  std::vector<Pending> pending_;
  std::size_t pending_bytes_ = 0;
  int64_t shards_written_ = 0;
};

// The parameters of features of segments, and of samples at a rate.
std::string feature_parameters(const FrontendOptions& frontend, const DataOptions& data);
std::string sample_parameters(int64_t sample_rate);

// For tests: shards are written when they hold so many bytes.
void set_shard_bytes(std::size_t bytes);

}  // namespace melgrad
