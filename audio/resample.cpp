#include "audio/resample.h"

#include <soxr.h>

#include <cmath>

#include "kernels/error.h"

namespace melgrad {

// In double as librosa computes it, so that lengths agree also where rounding shows.
int64_t resampled_length(int64_t samples, int64_t source_rate, int64_t target_rate) {
  if (source_rate == target_rate) return samples;
  const double ratio = static_cast<double>(target_rate) / static_cast<double>(source_rate);
  return static_cast<int64_t>(std::ceil(static_cast<double>(samples) * ratio));
}

struct Resampler::State {
  soxr_t soxr = nullptr;
  ~State() { soxr_delete(soxr); }
};

Resampler::Resampler(int64_t source_rate, int64_t target_rate) : source_rate_(source_rate), target_rate_(target_rate) {
  require(source_rate >= 1 && target_rate >= 1, "resample: {} Hz to {} Hz: rates must be positive", source_rate,
          target_rate);
  if (source_rate == target_rate) return;
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  soxr_error_t error = nullptr;
  state_ = std::make_unique<State>();
  state_->soxr = soxr_create(static_cast<double>(source_rate), static_cast<double>(target_rate), 1, &error, nullptr,
                             &quality, nullptr);
  require(error == nullptr, "resample: {} Hz to {} Hz: libsoxr says: {}", source_rate, target_rate,
          soxr_strerror(error));
}

Resampler::~Resampler() = default;
Resampler::Resampler(Resampler&&) noexcept = default;

void Resampler::process(const float* samples, std::size_t count, std::vector<float>& out) {
  constexpr std::size_t piece = 1 << 14;
  for (;;) {
    const std::size_t before = out.size();
    out.resize(before + piece);
    std::size_t consumed = 0, produced = 0;
    const soxr_error_t error =
        soxr_process(state_->soxr, samples, count, &consumed, out.data() + before, piece, &produced);
    out.resize(before + produced);
    require(error == nullptr, "resample: {} Hz to {} Hz: libsoxr says: {}", source_rate_, target_rate_,
            soxr_strerror(error));
    produced_ += static_cast<int64_t>(produced);
    if (samples != nullptr) samples += consumed;
    count -= consumed;
    if (produced < piece && count == 0) return;
  }
}

void Resampler::push(std::span<const float> samples, std::vector<float>& out) {
  if (samples.empty()) return;
  consumed_ += static_cast<int64_t>(samples.size());
  if (state_) {
    process(samples.data(), samples.size(), out);
  } else {
    out.insert(out.end(), samples.begin(), samples.end());
  }
}

void Resampler::finish(std::vector<float>& out) {
  if (!state_ || consumed_ == 0) return;
  process(nullptr, 0, out);
  const int64_t length = resampled_length(consumed_, source_rate_, target_rate_);
  const int64_t size = static_cast<int64_t>(out.size()) + length - produced_;
  require(size >= 0, "resample: {} Hz to {} Hz: {} samples too many came before the last piece", source_rate_,
          target_rate_, produced_ - length);
  out.resize(static_cast<std::size_t>(size));
}

std::vector<float> resample(std::span<const float> samples, int64_t source_rate, int64_t target_rate) {
  Resampler resampler(source_rate, target_rate);
  const double ratio = static_cast<double>(target_rate) / static_cast<double>(source_rate);
  const double length = static_cast<double>(samples.size()) * ratio;
  require(length <= 1e10, "resample: {} Hz to {} Hz of {} samples would give {} samples", source_rate, target_rate,
          samples.size(), length);
  std::vector<float> result;
  result.reserve(static_cast<std::size_t>(length) + (1 << 15));
  resampler.push(samples, result);
  resampler.finish(result);
  return result;
}

}  // namespace melgrad
