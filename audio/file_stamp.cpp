#include "audio/file_stamp.h"

#include <fmt/format.h>
#include <sys/stat.h>

namespace melgrad {

std::optional<FileStamp> stamp_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return FileStamp{static_cast<int64_t>(status.st_size),
                   fmt::format("{}.{:09d}", status.st_mtim.tv_sec, status.st_mtim.tv_nsec)};
}

}  // namespace melgrad
