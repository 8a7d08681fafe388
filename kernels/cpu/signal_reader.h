// Samples of a signal at any index, those before its beginning and after its end included.
#pragma once

#include <algorithm>

#include "kernels/spectral_bands.h"

namespace melgrad::cpu {

// Where the sample at `index`, which may lie outside [0, n), is found by reflection about the first and last sample, as
// often as it takes (NumPy's pad, mode "reflect").
inline int64_t reflect(int64_t index, int64_t n) {
  if (n == 1) return 0;
  const int64_t period = 2 * (n - 1);
  const int64_t position = (index % period + period) % period;
  return position < n ? position : period - position;
}

class SignalReader {
 public:
  SignalReader(const SignalPart& part, Extension extension) : part_(part), extension_(extension) {}

  // The samples from `index` on, if all `count` of them are at hand.
  const float* find(int64_t index, int64_t count) const {
    const int64_t at = index - part_.first;
    if (at < 0 || at + count > static_cast<int64_t>(part_.samples.size())) return nullptr;
    if (index + count > part_.length) return nullptr;
    return part_.samples.data() + at;
  }

  // What is neither at hand nor to be mirrored is 0.
  void copy(int64_t index, int64_t count, float* to) const {
    if (const float* from = find(index, count)) {
      std::copy_n(from, count, to);
      return;
    }
    for (int64_t i = 0; i < count; ++i) to[i] = sample(index + i);
  }

 private:
  float sample(int64_t index) const {
    if (index < 0 || index >= part_.length) {
      if (extension_ == Extension::zero) return 0;
      index = reflect(index, part_.length);
    }
    const float* found = find(index, 1);
    return found != nullptr ? *found : 0;
  }

  const SignalPart& part_;
  Extension extension_;
};

}  // namespace melgrad::cpu
