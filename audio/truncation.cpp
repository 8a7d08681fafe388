#include "audio/truncation.h"

#include <sndfile.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>

#include "kernels/error.h"

namespace melgrad {
namespace {

using Bytes = std::array<unsigned char, 10>;

uint32_t little_endian(const unsigned char* b) {
  return b[0] | uint32_t{b[1]} << 8 | uint32_t{b[2]} << 16 | uint32_t{b[3]} << 24;
}
uint32_t big_endian(const unsigned char* b) {
  return b[3] | uint32_t{b[2]} << 8 | uint32_t{b[1]} << 16 | uint32_t{b[0]} << 24;
}
std::string_view text(const unsigned char* b, std::size_t size) {
  return {reinterpret_cast<const char*>(b), size};
}

// How many bytes of sound the chunk `data` of a RIFF file or `SSND` of an AIFF file claims past the end of the file.
int64_t missing_bytes(const std::filesystem::path& path) {
  constexpr uint32_t open_length = 0x7FFFFF00;  // writers to a pipe leave this or more
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path));
  std::ifstream file(path, std::ios::binary);
  Bytes bytes{};
  if (!file.read(reinterpret_cast<char*>(bytes.data()), 4)) return 0;
  const bool big = text(bytes.data(), 4) == "FORM" || text(bytes.data(), 4) == "RIFX";
  if (!big && text(bytes.data(), 4) != "RIFF") return 0;
  int64_t position = 12;  // after "RIFF", a length and "WAVE"
  while (file.seekg(position) && file.read(reinterpret_cast<char*>(bytes.data()), 8)) {
    const uint32_t length = big ? big_endian(bytes.data() + 4) : little_endian(bytes.data() + 4);
    const std::string_view name = text(bytes.data(), 4);
    if (name == "data" || name == "SSND")
      return length >= open_length ? 0 : std::max<int64_t>(0, position + 8 + int64_t{length} - size);
    position += 8 + int64_t{length} + length % 2;
  }
  return 0;
}

// Whether an MP3 states its length (the tag "Xing" or "Info" in its first frame). Otherwise libsndfile estimates it.
bool has_length_tag(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  Bytes id3{};
  if (!file.read(reinterpret_cast<char*>(id3.data()), 10)) return false;
  int64_t start = 0;
  if (text(id3.data(), 3) == "ID3")  // a size in 7-bit bytes
    start = 10 + (int64_t{id3[6]} << 21 | int64_t{id3[7]} << 14 | int64_t{id3[8]} << 7 | int64_t{id3[9]});
  std::string first_frame(256, '\0');
  file.seekg(start);
  file.read(first_frame.data(), static_cast<std::streamsize>(first_frame.size()));
  first_frame.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  return first_frame.find("Xing") != std::string::npos || first_frame.find("Info") != std::string::npos;
}

}  // namespace

void check_complete(const std::filesystem::path& path, int format, int64_t promised_frames, int64_t frames) {
  const int container = format & SF_FORMAT_TYPEMASK;
  if (container == SF_FORMAT_WAV || container == SF_FORMAT_WAVEX || container == SF_FORMAT_AIFF) {
    // Eight bytes at most may be a writer's mistake about what the length counts.
    const int64_t missing = missing_bytes(path);
    require(missing <= 8, "{}: cut off: {} bytes less than its header says; replace or re-encode it", path.string(),
            missing);
  }
  if (promised_frames <= frames || promised_frames == std::numeric_limits<int64_t>::max()) return;
  if (container == SF_FORMAT_MPEG && !has_length_tag(path)) return;
  fail("{}: cut off: {} samples of the {} its header says; replace or re-encode it", path.string(), frames,
       promised_frames);
}

}  // namespace melgrad
