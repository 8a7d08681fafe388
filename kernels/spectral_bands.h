// From a signal to the energy in bands of its short-time spectrum, in one go on the host:
//
//   cut into overlapping frames · window · real FFT · |X|^power · filters · logarithm
//
// A group of frames goes through all of it while it is in cache, one frame in each lane of a vector; no spectrum is
// stored. Every lane does the same operations in the same order, so a frame's values do not depend on its lane, on its
// group, on the number of threads, or on where the call's first frame lies: a signal in pieces gives the bits that the
// whole gives.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "kernels/cost.h"
#include "kernels/filter_bank.h"
#include "kernels/thread_pool.h"

namespace melgrad {

enum class Extension : uint8_t {
  zero,
  reflect,  // about the first and the last sample, as often as it takes
};

// y = factor · ln(max(floor, offset + gain · x)) + shift. The error of ln is at most 1.2e-7 (1 + |ln|), and also relative
// to a small result where the offset is 1 (that is, log1p).
struct BandLogarithm {
  float gain = 1;
  float offset = 0;      // 0 or 1
  float floor = 1e-37F;  // at least 1.2e-38: no denormals
  float factor = 1;
  float shift = 0;
};

// In place. The same bits as a value gets inside SpectralBands::compute().
void apply_logarithm(const BandLogarithm& logarithm, std::span<float> values);

struct SpectralBandsOptions {
  std::vector<float> window;  // (n_fft)
  int64_t hop = 0;
  int64_t padding = 0;  // frame t covers samples t · hop - padding … + n_fft - 1; what is not there, `extension` gives
  Extension extension = Extension::zero;
  double power = 2;                        // of the magnitude
  std::optional<FilterBank> filters = {};  // over n_fft / 2 + 1 bins; without it the bins themselves are the bands
  double exponent = 1;                     // each band is raised to it
};

// The part of a signal that is at hand.
struct SignalPart {
  std::span<const float> samples;
  int64_t first = 0;   // the number of samples[0] in the signal
  int64_t length = 0;  // of the whole signal; endless where its end is not known yet

  static constexpr int64_t endless = int64_t{1} << 60;
};

// Over all values, before the logarithm.
struct BandRange {
  float lowest = std::numeric_limits<float>::infinity();
  float highest = -std::numeric_limits<float>::infinity();
  bool finite = true;  // each value was; a maximum would hide a NaN

  void include(const BandRange& other);
};

class SpectralBandsEngine;

// The plan: immutable, so any number of threads may share it. It keeps the instruction set that was the best one
// allowed when it was made.
class SpectralBands {
 public:
  // Throws Error for an empty window, a hop below 1, a negative padding, and filters for another number of bins.
  explicit SpectralBands(SpectralBandsOptions options);

  const SpectralBandsOptions& options() const { return *options_; }
  int64_t bands() const;
  // Whether frames of this size go through the fused transform. Others, whose half is no product of 2s, 3s and 5s, or
  // has no two factors, are transformed by kernels/fft.h, with the same steps around it.
  static bool has_fast_size(int64_t n_fft);

  // y (last - first, bands()) = the bands of frames first … last - 1, or their logarithm if one is given. `signal` must hold the samples that these cover,
  // or that their extension mirrors; throws Error otherwise.
  BandRange compute(ThreadPool& threads, const SignalPart& signal, int64_t first, int64_t last,
                    const BandLogarithm* logarithm, float* y) const;

  Cost cost(int64_t frames) const;  // with the logarithm, counted as 20 flops

 private:
  std::shared_ptr<const SpectralBandsOptions> options_;  // where the engine finds them, however this plan is moved
  std::shared_ptr<const SpectralBandsEngine> engine_;
};

}  // namespace melgrad
