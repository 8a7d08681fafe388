#include "audio/cache.h"

#include <bit>
#include <cstring>
#include <limits>
#include <system_error>

#include "kernels/error.h"
#include "tensor/io/atomic_file.h"

namespace melgrad {
namespace {

static_assert(std::endian::native == std::endian::little, "entries hold little-endian floats");

// Changes when the same parameters would give other features, by a repaired mistake for instance.
constexpr const char* format_line = "melgrad features, format 1\n";

// FNV-1a: against accidents, not malice.
uint64_t hash_of(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

// The sizes and the checksum of what follows. Fixed width, so that where the data starts is known.
std::string sizes_line(const SegmentFeatures& features, uint64_t checksum) {
  return fmt::format("segments = {:12} frames = {:12} bins = {:12} dropped = {:12} checksum = {:016x}\n",
                     features.segments, features.frames, features.bins, features.dropped, checksum);
}

std::string_view bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

// Reads the sizes that sizes_line() wrote; false for anything else.
bool parse_sizes(const std::string& line, SegmentFeatures& features, uint64_t& checksum) {
  long long segments = 0, frames = 0, bins = 0, dropped = 0;
  unsigned long long sum = 0;
  if (std::sscanf(line.c_str(), "segments = %lld frames = %lld bins = %lld dropped = %lld checksum = %llx", &segments,
                  &frames, &bins, &dropped, &sum) != 5)
    return false;
  features = {.segments = segments, .frames = frames, .bins = bins, .dropped = dropped, .values = {}};
  checksum = sum;
  return segments >= 1 && frames >= 1 && bins >= 1;
}

}  // namespace

FeatureCache::FeatureCache(std::filesystem::path folder, const FrontendOptions& frontend, const DataOptions& data)
    : folder_(std::move(folder)) {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  require(std::filesystem::is_directory(folder_), "{}: cannot be made for the cache: {}; give another data.cache",
          folder_.string(), error ? error.message() : "there is a file of that name");
  parameters_ = format_line + format_options(frontend);
  // What decides the segments of a clip; the splits do not.
  for (const char* key : {"duration", "segments", "crop", "short"}) {
    DataOptions::visit(data, [&](std::string_view name, const auto& value) {
      if (name == key) parameters_ += fmt::format("{} = {}\n", name, option_to_text(value));
    });
  }
}

// Empty if the file is not there.
std::string FeatureCache::header(const std::filesystem::path& clip) const {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(clip, error);
  if (error) return {};
  const auto changed = std::filesystem::last_write_time(clip, error).time_since_epoch().count();
  if (error) return {};
  return fmt::format("{}path = {}\nbytes = {}\nchanged = {}\n", parameters_,
                     melgrad::in_quotes(std::filesystem::absolute(clip).lexically_normal().string()), bytes, changed);
}

std::filesystem::path FeatureCache::entry_path(const std::filesystem::path& clip) const {
  const std::string made_of = parameters_ + std::filesystem::absolute(clip).lexically_normal().string();
  return folder_ / fmt::format("{:016x}.features", hash_of(made_of));
}

std::optional<SegmentFeatures> FeatureCache::find(const std::filesystem::path& clip) const {
  const std::string expected = header(clip);
  const std::filesystem::path path = entry_path(clip);
  if (expected.empty() || !std::filesystem::exists(path)) return std::nullopt;
  std::string contents;
  try {
    contents = read_file(path);
  } catch (const Error&) {
    return std::nullopt;  // another process may be at it; what cannot be read is computed
  }
  const std::size_t line_size = sizes_line({}, 0).size();
  const std::size_t start = expected.size() + line_size;
  SegmentFeatures features;
  uint64_t checksum = 0;
  if (contents.size() < start || !contents.starts_with(expected)) return std::nullopt;
  const std::string line = contents.substr(expected.size(), line_size);
  if (!parse_sizes(line, features, checksum) || line != sizes_line(features, checksum)) return std::nullopt;

  const std::string_view data = std::string_view(contents).substr(start);
  // In floating point, where a product of absurd sizes does not overflow.
  const double values = static_cast<double>(features.segments) * static_cast<double>(features.frames) *
                        static_cast<double>(features.bins);
  if (static_cast<double>(data.size()) != values * sizeof(float) || hash_of(data) != checksum) return std::nullopt;
  features.values.resize(data.size() / sizeof(float));
  std::memcpy(features.values.data(), data.data(), data.size());
  return features;
}

void FeatureCache::store(const std::filesystem::path& clip, const SegmentFeatures& features) const {
  std::string contents = header(clip);
  if (contents.empty()) return;  // gone since it was read
  const std::string_view data = bytes_of(features.values);
  contents += sizes_line(features, hash_of(data));
  contents += data;
  write_file_atomically(entry_path(clip), contents);
}

}  // namespace melgrad
