#include "tensor/io/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

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

void write_all(const Descriptor& file, const std::filesystem::path& path, std::string_view contents) {
  constexpr std::size_t piece = 1 << 20;
  while (!contents.empty()) {
    about_to("write", path);
    const ssize_t written = ::write(file.get(), contents.data(), std::min(piece, contents.size()));
    if (written < 0 && errno == EINTR) continue;
    check(written > 0, "write", path);
    contents.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void set_file_fault_hook(FileFaultHook hook) {
  fault_hook() = std::move(hook);
}

void write_file_atomically(const std::filesystem::path& path, std::string_view contents) {
  // The process's number keeps two writers of one file apart; a temporary that a killed one left is overwritten by none
  // and read by none.
  std::filesystem::path temporary = path;
  temporary += ".tmp" + std::to_string(::getpid());
  try {
    {
      const Descriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
      check(file.get() >= 0, "create", temporary);
      write_all(file, temporary, contents);
      about_to("fsync", temporary);
      check(::fsync(file.get()) == 0, "fsync", temporary);
    }
    about_to("rename", path);
    check(::rename(temporary.c_str(), path.c_str()) == 0, "rename", path);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  // The rename itself reaches the disk with its folder.
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const Descriptor directory(folder, O_RDONLY | O_DIRECTORY);
  about_to("fsync", folder);
  if (directory.get() >= 0) ::fsync(directory.get());
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
