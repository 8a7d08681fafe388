// A file's size and time of last change: while both are as they were, what was made of the file is current.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace melgrad {

struct FileStamp {
  int64_t bytes = 0;
  std::string modified;  // seconds since 1970, with nine decimals
};

// Nothing if there is no such file.
std::optional<FileStamp> stamp_of(const std::filesystem::path& path);

}  // namespace melgrad
