// TensorBoard's event files: what a training run reports, epoch by epoch, for `tensorboard --logdir RUN`.
//
// Written by hand from the format. A file is records: a little-endian length (8 bytes), its masked CRC-32C (4), the data
// and their masked CRC-32C (4), as tensorflow/core/lib/io/record_writer.h has it. A record is a Protocol Buffers message
// `Event`: wall_time = 1, step = 2, file_version = 3, summary = 5 with values {tag = 1, simple_value = 2}.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace melgrad {

using Scalars = std::vector<std::pair<std::string, double>>;

class EventFile {
 public:
  // Starts events.out.tfevents.<seconds>.melgrad in the folder, a new file a process: TensorBoard reads them in order, and
  // a step that comes twice replaces what the first run of it said. Throws Error if it cannot be written.
  EventFile(const std::filesystem::path& folder, double wall_time);

  // Seconds since 1970. On the disk when it returns.
  void add(double wall_time, int64_t step, const Scalars& scalars);

  const std::filesystem::path& path() const { return path_; }

 private:
  void write(std::string_view event);

  std::filesystem::path path_;
  std::ofstream file_;
};

// Castagnoli's polynomial, as iSCSI has it: RFC 3720, appendix B.4.
uint32_t crc32c(std::string_view bytes);

}  // namespace melgrad
