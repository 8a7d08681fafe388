#include "apps/load_features.h"

#include <algorithm>
#include <memory>
#include <set>

#include "apps/feature_files.h"
#include "apps/load_data.h"
#include "audio/key_spectrogram.h"
#include "audio/segment_reader.h"
#include "tensor/io/npy.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

bool reads_pictures(const Config& config) {
  return config.frontend.kind == FeatureKind::key_spectrogram;
}

bool is_input(const fs::path& path, const Config& config) {
  static const std::set<std::string> extensions{".wav", ".mp3",  ".flac", ".ogg", ".opus",
                                                ".aif", ".aiff", ".au",   ".npy"};
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  return extensions.contains(extension) || (extension == ".png" && reads_pictures(config));
}

NextSegment array_segments(const fs::path& path, const Config& config) {
  check_frontend_of(path, config.frontend);
  const Tensor array = load_npy(path);
  require(array.dtype() == DType::f32, "{}: {}, expected features in float32", path.string(), name_of(array.dtype()));
  const Shape& input = config.input;
  const int64_t row = input.numel() / input[0];  // numbers a frame
  const int64_t frames = array.shape().rank() > 0 ? array.shape()[0] : 0;
  if (array.shape().rank() < 1 || frames == 0 || array.numel() != frames * row)
    fail("{}: {}, expected features (frames, {}) as the network was trained on", path.string(),
         array.shape().to_string(), row);
  const int64_t pieces = frames / input[0];
  require(pieces >= 1, "{}: {} frames, and the network takes {}", path.string(), frames, input[0]);
  return [array, pieces, size = input.numel(), piece = int64_t{0}](std::vector<float>& segment) mutable {
    if (piece == pieces) return false;
    const auto values =
        array.data<float>().subspan(static_cast<std::size_t>(piece++ * size), static_cast<std::size_t>(size));
    segment.assign(values.begin(), values.end());
    return true;
  };
}

NextSegment picture(const fs::path& path, const Config& config) {
  require(reads_pictures(config),
          "{}: a picture; networks on frontend.preset = key-spectrogram read these, and this one takes {}",
          path.string(), config.input.to_string());
  return [path, read = false](std::vector<float>& segment) mutable {
    if (read) return false;
    segment = load_key_spectrogram(path);
    return read = true;
  };
}

NextSegment audio_segments(const fs::path& path, const Config& config) {
  require(config.data.reader != Reader::arrays,
          "{}: the network was trained on arrays, so nothing is known of how to make its input from audio",
          path.string());
  struct Reading {
    Reading(const fs::path& path, const Config& config)
        : frontend(config.frontend), reader(path, frontend, config.data) {}
    Frontend frontend;
    SegmentReader reader;
  };
  const auto reading = std::make_shared<Reading>(path, config);
  const Shape shape = input_shape(reading->reader.frames(), reading->frontend.bins());
  if (shape != config.input)
    fail("{}: gives {} a segment, and the network takes {}", path.string(), shape.to_string(),
         config.input.to_string());
  return [reading](std::vector<float>& segment) { return reading->reader.next(segment); };
}

}  // namespace

std::vector<std::string> expand_inputs(const std::vector<std::string>& paths, const Config& config) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    const std::size_t before = files.size();
    for (const auto& entry : fs::recursive_directory_iterator(path))
      if (entry.is_regular_file() && is_input(entry.path(), config)) files.push_back(entry.path().string());
    require(files.size() > before, "{}: the folder has no audio files", path);
    std::sort(files.begin() + static_cast<std::ptrdiff_t>(before), files.end());
  }
  return files;
}

NextSegment input_segments(const fs::path& path, const Config& config) {
  if (path.extension() == ".npy") return array_segments(path, config);
  return path.extension() == ".png" ? picture(path, config) : audio_segments(path, config);
}

}  // namespace melgrad
