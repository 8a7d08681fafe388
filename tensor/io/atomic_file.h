// Files that are there whole or not at all: written beside under another name, flushed to the disk, then renamed.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace melgrad {

// Replaces `path` by `contents`. After a crash at any instant the old file or the new one is there. Throws Error naming
// the file.
void write_file_atomically(const std::filesystem::path& path, std::string_view contents);

// A file that is written piece by piece and is there, under its name, once it is committed. Throws Error naming the file.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();  // without commit() nothing is left
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void append(std::string_view bytes);
  void replace(int64_t offset, std::string_view bytes);  // of what has been appended
  void commit();

 private:
  std::filesystem::path path_, temporary_;
  int descriptor_ = -1;
};

// The whole of a file; throws Error naming it if it cannot be read or is larger than `limit` bytes.
std::string read_file(const std::filesystem::path& path, int64_t limit = int64_t{1} << 40);

// For tests of crash safety: called before each "write", "fsync" and "rename" of write_file_atomically.
using FileFaultHook = std::function<void(std::string_view operation, const std::filesystem::path& path)>;
void set_file_fault_hook(FileFaultHook hook);

}  // namespace melgrad
