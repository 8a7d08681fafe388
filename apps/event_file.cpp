#include "apps/event_file.h"

#include <fmt/format.h>

#include <array>

#include "kernels/error.h"
#include "models/interchange/protobuf.h"

namespace melgrad {
namespace {

constexpr std::array<uint32_t, 256> crc_table = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0);
    table[byte] = crc;
  }
  return table;
}();

// Stored checksums are rotated and shifted, so that a checksum of data that hold checksums is no trivial one.
uint32_t masked_crc(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

std::string little_endian(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  uint32_t crc = 0xFFFFFFFFu;
  for (char c : bytes) crc = (crc >> 8) ^ crc_table[(crc ^ static_cast<unsigned char>(c)) & 0xFF];
  return ~crc;
}

EventFile::EventFile(const std::filesystem::path& folder, double wall_time) {
  const auto name = [&](int number) {
    return fmt::format("events.out.tfevents.{:010d}.melgrad{}", static_cast<int64_t>(wall_time),
                       number == 0 ? "" : fmt::format(".{}", number));
  };
  for (int number = 0; path_.empty() || std::filesystem::exists(path_); ++number) path_ = folder / name(number);
  file_.open(path_, std::ios::binary);
  require(file_.good(), "{}: cannot be written", path_.string());
  write(ProtobufMessage().real(1, wall_time).text(3, "brain.Event:2").bytes());
}

void EventFile::add(double wall_time, int64_t step, const Scalars& scalars) {
  ProtobufMessage summary;
  for (const auto& [tag, value] : scalars)
    summary.message(1, ProtobufMessage().text(1, tag).real(2, static_cast<float>(value)));
  write(ProtobufMessage().real(1, wall_time).integer(2, step).message(5, summary).bytes());
}

void EventFile::write(std::string_view event) {
  const std::string length = little_endian(event.size(), 8);
  file_ << length << little_endian(masked_crc(length), 4) << event << little_endian(masked_crc(event), 4);
  file_.flush();
  require(file_.good(), "{}: cannot be written", path_.string());
}

}  // namespace melgrad
