// In place of soundfont.cpp where the build has no FluidSynth (./run bundle).
#include "audio/synth/soundfont.h"
#include "kernels/error.h"

namespace melgrad {

std::filesystem::path find_soundfont() {
  fail("a bundle has no synthesizer: render with melgrad as ./run melgrad builds it; share/data has a few clips");
}

std::vector<float> render(const Score&, const RenderOptions&) {
  find_soundfont();  // throws
  return {};
}

}  // namespace melgrad
