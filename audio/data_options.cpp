#include "audio/data_options.h"

#include "kernels/error.h"

namespace melgrad {
namespace {

void check_fraction(const char* key, double value) {
  require(value >= 0 && value <= 1, "data.{}: {} is not in 0 … 1", key, value);
}

}  // namespace

void validate(const DataOptions& options) {
  require(!options.cache.empty(), "data.cache: is empty; give a folder or \"none\"");
  require(options.duration > 0 && options.duration <= 1e6, "data.duration: {} is not in 0 … 1000000 seconds",
          options.duration);
  require(options.segments >= 1 && options.segments <= 1'000'000, "data.segments: {} is not in 1 … 1000000",
          options.segments);
  require(options.test >= 0 && options.test < 1, "data.test: {} is not in 0 … 1", options.test);
  require(options.valid >= 0 && options.valid < 1, "data.valid: {} is not in 0 … 1", options.valid);
  require(!options.labels.empty(), "data.labels: is empty; give \"all\", \"top-50\" or a file of names");
  require(!options.folders.empty(), "data.folders: is empty; give \"all\" or folders such as \"0-b\"");
  require(!options.synonyms.empty(), "data.synonyms: is empty; give a file or \"none\"");
  check_fraction("key_confidence", options.key_confidence);
  check_fraction("mode_confidence", options.mode_confidence);
  // One whole clip in several splits would be trained on and tested with wherever its crops overlap.
  require(options.crop != CropPosition::random || options.split != SplitKind::random_segments,
          "data.crop: random cuts a clip anywhere, so data.split = random-segments cannot keep its pieces apart; use "
          "random-tracks, lists or official");
}

}  // namespace melgrad
