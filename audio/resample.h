// Sample rate conversion by libsoxr at its "high quality" (20 bit) setting.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace melgrad {

// As librosa.resample(y, orig_sr=source_rate, target_sr=target_rate, res_type="soxr_hq") gives it: the length is
// ceil(n · target_rate / source_rate), cut or filled up with zeros at the end. Equal rates: a copy. Rates in Hz, ≥ 1;
// throws Error for others.
std::vector<float> resample(std::span<const float> samples, int64_t source_rate, int64_t target_rate);

// That length.
int64_t resampled_length(int64_t samples, int64_t source_rate, int64_t target_rate);

// The same, piece by piece: pieces of any size give the samples of resample(), to the bit.
class Resampler {
 public:
  Resampler(int64_t source_rate, int64_t target_rate);
  ~Resampler();
  Resampler(Resampler&&) noexcept;

  // Appends to `out` what is known so far.
  void push(std::span<const float> samples, std::vector<float>& out);
  // The rest, once all is pushed.
  void finish(std::vector<float>& out);

 private:
  void process(const float* samples, std::size_t count, std::vector<float>& out);

  int64_t source_rate_, target_rate_;
  int64_t consumed_ = 0, produced_ = 0;
  struct State;
  std::unique_ptr<State> state_;  // none for equal rates
};

}  // namespace melgrad
