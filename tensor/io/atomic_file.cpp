#include "tensor/io/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "kernels/error.h"

namespace melgrad {
namespace {

FileFaultHook& fault_hook() {
  static FileFaultHook hook;
  return hook;
}

void about_to(std::string_view operation, const std::filesystem::path& path) {
  if (fault_hook()) fault_hook()(operation, path);
}

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

void check(bool succeeded, const char* operation, const std::filesystem::path& path) {
  require(succeeded, "{}: cannot {}: {}", path.string(), operation, std::strerror(errno));
}

// Through `put`, which is ::write or ::pwrite at an offset and says how many bytes it took.
template <class Put>
void write_all(const std::filesystem::path& path, std::string_view contents, const Put& put) {
  constexpr std::size_t piece = 1 << 20;
  while (!contents.empty()) {
    about_to("write", path);
    const ssize_t written = put(contents.data(), std::min(piece, contents.size()));
    if (written < 0 && errno == EINTR) continue;
    check(written > 0, "write", path);
    contents.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void set_file_fault_hook(FileFaultHook hook) {
  fault_hook() = std::move(hook);
}

// The process's number keeps two writers of one file apart; a temporary that a killed one left is overwritten by none and
// read by none.
AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)), temporary_(path_) {
  temporary_ += ".tmp" + std::to_string(::getpid());
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  check(descriptor_ >= 0, "create", temporary_);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::append(std::string_view bytes) {
  write_all(temporary_, bytes, [&](const char* data, std::size_t size) { return ::write(descriptor_, data, size); });
}

void AtomicFile::replace(int64_t offset, std::string_view bytes) {
  write_all(temporary_, bytes, [&](const char* data, std::size_t size) {
    const ssize_t written = ::pwrite(descriptor_, data, size, offset);
    offset += std::max<ssize_t>(0, written);
    return written;
  });
}

void AtomicFile::commit() {
  about_to("fsync", temporary_);
  check(::fsync(descriptor_) == 0, "fsync", temporary_);
  check(::close(std::exchange(descriptor_, -1)) == 0, "close", temporary_);
  about_to("rename", path_);
  check(::rename(temporary_.c_str(), path_.c_str()) == 0, "rename", path_);
  temporary_.clear();
  // The rename itself reaches the disk with its folder.
  const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
  const Descriptor directory(folder, O_RDONLY | O_DIRECTORY);
  about_to("fsync", folder);
  if (directory.get() >= 0) ::fsync(directory.get());
}

void write_file_atomically(const std::filesystem::path& path, std::string_view contents) {
  AtomicFile file(path);
  file.append(contents);
  file.commit();
}

std::string read_file(const std::filesystem::path& path, int64_t limit) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  require(!error, "{}: cannot read: {}", path.string(), error.message());
  require(static_cast<int64_t>(size) <= limit, "{}: {} bytes, more than the {} expected at most", path.string(), size,
          limit);
  std::ifstream file(path, std::ios::binary);
  std::string contents(size, '\0');
  file.read(contents.data(), static_cast<std::streamsize>(size));
  require(file.gcount() == static_cast<std::streamsize>(size), "{}: cannot read: {}", path.string(),
          std::strerror(errno));
  return contents;
}

}  // namespace melgrad
