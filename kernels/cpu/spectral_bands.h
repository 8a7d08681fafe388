// What computes a plan of kernels/spectral_bands.h on this machine.
#pragma once

#include <memory>

#include "kernels/spectral_bands.h"

namespace melgrad {

class SpectralBandsEngine {
 public:
  virtual ~SpectralBandsEngine() = default;
  virtual BandRange compute(ThreadPool& threads, const SignalPart& signal, int64_t first, int64_t last,
                            const BandLogarithm* logarithm, float* y) const = 0;
};

namespace cpu {

// For the best instruction set that Highway's dispatch allows now. `options` outlives the engine.
std::unique_ptr<SpectralBandsEngine> make_spectral_bands_engine(const SpectralBandsOptions& options);

void apply_logarithm(const BandLogarithm& logarithm, std::span<float> values);

}  // namespace cpu
}  // namespace melgrad
