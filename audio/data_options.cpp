#include "audio/data_options.h"

#include "kernels/error.h"

namespace melgrad {

void validate(const DataOptions& options) {
  require(!options.cache.empty(), "data.cache: is empty; give a folder or \"none\"");
  require(options.duration > 0 && options.duration <= 1e6, "data.duration: {} is not in 0 … 1000000 seconds",
          options.duration);
  require(options.segments >= 1 && options.segments <= 1'000'000, "data.segments: {} is not in 1 … 1000000",
          options.segments);
  require(options.test >= 0 && options.test < 1, "data.test: {} is not in 0 … 1", options.test);
  require(options.valid >= 0 && options.valid < 1, "data.valid: {} is not in 0 … 1", options.valid);
}

}  // namespace melgrad
