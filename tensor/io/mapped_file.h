// A file as memory, read-only: pages come when they are touched, and go when memory is short.
#pragma once

#include <filesystem>
#include <string_view>

namespace melgrad {

class MappedFile {
 public:
  // Throws Error naming the file if it cannot be opened or mapped. Whoever writes such files must not change them while
  // they are mapped, only replace them (write_file_atomically does).
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view contents() const { return {static_cast<const char*>(address_), size_}; }

 private:
  void* address_ = nullptr;  // of an empty file
  std::size_t size_ = 0;
};

}  // namespace melgrad
