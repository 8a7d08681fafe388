#include "audio/resample.h"

#include <soxr.h>

#include <cmath>

#include "kernels/error.h"

namespace melgrad {

std::vector<float> resample(std::span<const float> samples, int64_t source_rate, int64_t target_rate) {
  require(source_rate >= 1 && target_rate >= 1, "resample: {} Hz to {} Hz: rates must be positive", source_rate,
          target_rate);
  if (source_rate == target_rate) return {samples.begin(), samples.end()};
  if (samples.empty()) return {};

  // In double as librosa computes it, so that lengths agree also where rounding shows.
  const double ratio = static_cast<double>(target_rate) / static_cast<double>(source_rate);
  const double length = std::ceil(static_cast<double>(samples.size()) * ratio);
  require(length <= 1e10, "resample: {} Hz to {} Hz of {} samples would give {} samples", source_rate, target_rate,
          samples.size(), length);
  std::vector<float> result(static_cast<std::size_t>(length));

  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  std::size_t consumed = 0, produced = 0;
  const soxr_error_t error =
      soxr_oneshot(static_cast<double>(source_rate), static_cast<double>(target_rate), 1, samples.data(),
                   samples.size(), &consumed, result.data(), result.size(), &produced, nullptr, &quality, nullptr);
  require(error == nullptr, "resample: {} Hz to {} Hz: libsoxr says: {}", source_rate, target_rate,
          soxr_strerror(error));
  return result;
}

}  // namespace melgrad
