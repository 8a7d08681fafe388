#include "audio/cache.h"

#include <sndfile.h>
#include <soxr.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <system_error>

#include "audio/file_stamp.h"
#include "kernels/error.h"
#include "tensor/io/atomic_file.h"
#include "tensor/io/mapped_file.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "shards hold little-endian numbers");

// Changes when the same parameters would give other clips, by a repaired mistake for instance.
constexpr std::string_view format_line = "melgrad clips, format 3\n";
std::size_t shard_bytes = std::size_t{32} << 20;
constexpr std::size_t alignment = 64;  // of a clip's data in a shard

std::size_t aligned(std::size_t at) {
  return (at + alignment - 1) / alignment * alignment;
}

// The size and the checksum of the index. Fixed width, so that where the index starts is known.
std::string sizes_line(std::size_t index_bytes, uint64_t checksum) {
  return fmt::format("index = {:12} checksum = {:016x}\n", index_bytes, checksum);
}

// "bytes modified path": what a clip was made of. Empty if the file is not there.
std::string describe_file(const fs::path& clip) {
  const std::optional<FileStamp> stamp = stamp_of(clip);
  if (!stamp) return {};
  return fmt::format("{} {} {}", stamp->bytes, stamp->modified,
                     in_quotes(fs::absolute(clip).lexically_normal().string()));
}

// The path in what describe_file() wrote, still in quotes.
std::string path_in(const std::string& file) {
  const std::size_t quote = file.find('"');
  return quote == std::string::npos ? "" : file.substr(quote);
}

std::string index_line(const StoredClip& clip, std::size_t offset, const std::string& file) {
  return fmt::format("{} {:016x} {} {} {} {} {} {:08x} {}\n", offset, clip.checksum, clip.segments, clip.frames,
                     clip.bins, clip.dropped, clip.samples, std::bit_cast<uint32_t>(clip.scale), file);
}

struct IndexEntry {
  StoredClip clip;
  std::size_t offset = 0;
  std::string file;
};

// Reads a line of index_line(); false for anything else, such as sizes that do not fit into the shard.
bool parse_entry(const std::string& line, std::size_t shard_size, IndexEntry& entry) {
  unsigned long long offset = 0, checksum = 0;
  long long segments = 0, frames = 0, bins = 0, dropped = 0, samples = 0;
  unsigned scale = 0;
  int end = 0;
  if (std::sscanf(line.c_str(), "%llu %llx %lld %lld %lld %lld %lld %x %n", &offset, &checksum, &segments, &frames,
                  &bins, &dropped, &samples, &scale, &end) != 8)
    return false;
  entry.clip = {.segments = segments,
                .frames = frames,
                .bins = bins,
                .dropped = dropped,
                .samples = samples,
                .scale = std::bit_cast<float>(static_cast<uint32_t>(scale)),
                .checksum = checksum};
  entry.offset = offset;
  entry.file = line.substr(static_cast<std::size_t>(end));
  // In floating point, where a product of absurd sizes does not overflow.
  const double bytes = 2.0 * static_cast<double>(samples) +
                       4.0 * static_cast<double>(segments) * static_cast<double>(frames) * static_cast<double>(bins);
  return segments >= 0 && frames >= 0 && bins >= 0 && samples >= 0 && offset % alignment == 0 &&
         static_cast<double>(offset) + bytes <= static_cast<double>(shard_size);
}

}  // namespace

struct ClipCache::Entry {
  Shard* shard;
  IndexEntry index;
  enum class State : uint8_t { unknown, whole, stale } state = State::unknown;
};

struct ClipCache::Shard {
  fs::path path;
  std::shared_ptr<const MappedFile> file;
  std::vector<std::unique_ptr<Entry>> entries;
};

void set_shard_bytes(std::size_t bytes) {
  shard_bytes = bytes;
}

ClipCache::ClipCache(const fs::path& folder, const std::string& parameters)
    : parameters_(fmt::format("{}decoder = \"{}\"\nresampler = \"{}\"\n{}", format_line, sf_version_string(),
                              soxr_version(), parameters)) {
  folder_ = folder / fmt::format("{:016x}", checksum_of(parameters_.data(), parameters_.size()));
  std::error_code error;
  fs::create_directories(folder_, error);
  require(fs::is_directory(folder_), "{}: cannot be made for the cache: {}; give another data.cache", folder.string(),
          error ? error.message() : "there is a file of that name");
  if (!fs::exists(folder_ / "manifest.txt")) write_file_atomically(folder_ / "manifest.txt", parameters_);
  std::vector<fs::path> paths;
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error))
    if (it->path().extension() == ".shard") paths.push_back(it->path());
  std::ranges::sort(paths);
  for (const fs::path& path : paths) open_shard(path);
}

ClipCache::~ClipCache() {
  try {
    flush();
  } catch (const std::exception&) {  // what is not kept will be computed
  }
}

// A shard that is damaged, or gone since it was listed, counts as absent.
void ClipCache::open_shard(const fs::path& path) {
  auto shard = std::make_unique<Shard>();
  shard->path = path;
  try {
    shard->file = std::make_shared<const MappedFile>(path);
  } catch (const Error&) {
    return;
  }
  const std::string_view contents = shard->file->contents();
  const std::size_t start = format_line.size() + sizes_line(0, 0).size();
  if (contents.size() < start || !contents.starts_with(format_line)) return;
  unsigned long long index_bytes = 0, checksum = 0;
  const std::string line(contents.substr(format_line.size(), start - format_line.size()));
  if (std::sscanf(line.c_str(), "index = %llu checksum = %llx", &index_bytes, &checksum) != 2 ||
      line != sizes_line(index_bytes, checksum) || index_bytes > contents.size() - start ||
      checksum_of(contents.data() + start, index_bytes) != checksum)
    return;
  std::string_view index = contents.substr(start, index_bytes);
  if (!index.starts_with(parameters_)) return;
  index.remove_prefix(parameters_.size());
  while (!index.empty()) {
    const std::size_t end = std::min(index.find('\n'), index.size());
    auto entry = std::make_unique<Entry>(Entry{.shard = shard.get(), .index = {}});
    if (parse_entry(std::string(index.substr(0, end)), contents.size(), entry->index)) {
      entries_.emplace(path_in(entry->index.file), entry.get());
      shard->entries.push_back(std::move(entry));
    }
    index.remove_prefix(std::min(end + 1, index.size()));
  }
  shards_.push_back(std::move(shard));
}

std::optional<StoredClip> ClipCache::find(const fs::path& clip) {
  const std::string file = describe_file(clip);
  const auto [begin, end] = entries_.equal_range(path_in(file));
  std::optional<StoredClip> found;
  for (auto it = begin; it != end; ++it) {
    Entry& entry = *it->second;
    const std::byte* data =
        reinterpret_cast<const std::byte*>(entry.shard->file->contents().data()) + entry.index.offset;
    const StoredClip& stored = entry.index.clip;
    // One of two equal ones is enough.
    const bool whole = !found && entry.index.file == file && checksum_of(data, stored.bytes()) == stored.checksum;
    const std::lock_guard lock(mutex_);
    entry.state = whole ? Entry::State::whole : Entry::State::stale;
    if (!whole) continue;
    found = stored;
    found->data = std::shared_ptr<const std::byte>(entry.shard->file, data);
  }
  return found;
}

void ClipCache::add(const fs::path& clip, const StoredClip& stored) {
  std::string file = describe_file(clip);
  if (file.empty()) return;  // gone since it was read
  const std::lock_guard lock(mutex_);
  pending_.push_back({std::move(file), stored});
  pending_bytes_ += stored.bytes();
  if (pending_bytes_ >= shard_bytes) write_shard();
}

void ClipCache::flush() {
  const std::lock_guard lock(mutex_);
  if (!pending_.empty()) write_shard();
  remove_stale_shards();
}

void ClipCache::write_shard() {
  // Offsets count from the first clip's place, which the index decides: lines are made twice, the second time with the
  // index's size known. Numbers of unlike width could change it again, so the first clip gets room to spare.
  std::size_t lines_bytes = 0;
  for (const Pending& one : pending_) lines_bytes += index_line(one.clip, SIZE_MAX, one.file).size();
  const std::size_t start = format_line.size() + sizes_line(0, 0).size();
  std::size_t offset = aligned(start + parameters_.size() + lines_bytes);
  const std::size_t first = offset;
  std::string index = parameters_;
  for (const Pending& one : pending_) {
    index += index_line(one.clip, offset, one.file);
    offset = aligned(offset + one.clip.bytes());
  }
  std::string contents(format_line);
  contents.reserve(offset);
  contents += sizes_line(index.size(), checksum_of(index.data(), index.size())) + index;
  contents.resize(first, '\0');
  for (const Pending& one : pending_) {
    contents.append(reinterpret_cast<const char*>(one.clip.data.get()), one.clip.bytes());
    contents.resize(aligned(contents.size()), '\0');
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  write_file_atomically(folder_ / fmt::format("{:016x}-{}-{}.shard", now, ::getpid(), shards_written_++), contents);
  pending_.clear();
  pending_bytes_ = 0;
}

// Another process may still have it mapped, which removing does not disturb.
void ClipCache::remove_stale_shards() {
  for (const auto& shard : shards_) {
    const bool stale =
        std::ranges::all_of(shard->entries, [](const auto& entry) { return entry->state == Entry::State::stale; });
    std::error_code ignored;
    if (stale) fs::remove(shard->path, ignored);
  }
}

std::string feature_parameters(const FrontendOptions& frontend, const DataOptions& data) {
  std::string parameters = "features of segments\n" + format_options(frontend);
  if (frontend.kind == FeatureKind::key_spectrogram) return parameters;  // of the whole file
  // What decides the segments of a clip; the splits do not.
  for (const char* key : {"duration", "segments", "crop", "short"}) {
    DataOptions::visit(data, [&](std::string_view name, const auto& value) {
      if (name == key) parameters += fmt::format("{} = {}\n", name, option_to_text(value));
    });
  }
  return parameters;
}

std::string sample_parameters(int64_t sample_rate) {
  return fmt::format("samples, 16 bit\nsample_rate = {}\n", sample_rate);
}

}  // namespace melgrad
