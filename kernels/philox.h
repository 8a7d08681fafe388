// Philox4x32-10, a counter-based random number generator: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as
// easy as 1, 2, 3", SC 2011, section 3.3 and table 2.
//
// A draw is a pure function of (seed, stream, offset). There is no state to save, no order to respect and no thread to
// wait for: element i of a dropout mask is the same on every device and for any number of threads.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/host_device.h"

namespace melgrad {

struct Philox4 {
  uint32_t word[4];
};

MELGRAD_HOST_DEVICE constexpr Philox4 philox4x32(Philox4 counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * counter.word[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57} * counter.word[2];
    counter = {{static_cast<uint32_t>(product1 >> 32) ^ counter.word[1] ^ key0, static_cast<uint32_t>(product1),
                static_cast<uint32_t>(product0 >> 32) ^ counter.word[3] ^ key1, static_cast<uint32_t>(product0)}};
    key0 += 0x9E3779B9;  // the golden ratio
    key1 += 0xBB67AE85;  // sqrt(3) - 1
  }
  return counter;
}

// A word as a number in [0, 1) with 24 bits: exact in float.
MELGRAD_HOST_DEVICE constexpr float uniform_from(uint32_t word) {
  return static_cast<float>(word >> 8) * 0x1.0p-24f;
}

// What a stream of random numbers is drawn for. Streams of different purposes never overlap.
enum class Draw : uint32_t { weights = 1, shuffle = 2, dropout = 3, split = 4, synth = 5, test = 6, augment = 7, noise = 8, augment_noise = 9, mixup = 10 };

// The numbers of one (seed, purpose, a, b). `a` and `b` tell apart, for instance, the layer and the step of a dropout.
// Random access by index: a generator is a value, copied into kernels.
struct Philox {
  uint64_t seed = 0;
  Draw purpose = Draw::test;
  uint32_t a = 0;
  uint32_t b = 0;

  // Words 4*block … 4*block + 3 of the stream. A stream has 2^34 words.
  MELGRAD_HOST_DEVICE constexpr Philox4 block(uint32_t block) const {
    return philox4x32({{block, a, b, static_cast<uint32_t>(purpose)}}, static_cast<uint32_t>(seed),
                      static_cast<uint32_t>(seed >> 32));
  }
  MELGRAD_HOST_DEVICE constexpr uint32_t word(uint64_t index) const {
    return block(static_cast<uint32_t>(index >> 2)).word[index & 3];
  }
  MELGRAD_HOST_DEVICE constexpr float uniform(uint64_t index) const { return uniform_from(word(index)); }
};

// Draws in order, for host code that wants a sequence (shuffles, initial weights, synthesis).
class Generator {
 public:
  explicit Generator(Philox philox) : philox_(philox) {}
  Generator(uint64_t seed, Draw purpose, uint32_t a = 0, uint32_t b = 0) : philox_{seed, purpose, a, b} {}

  uint32_t next() { return philox_.word(index_++); }
  // In [0, 1).
  float uniform() { return uniform_from(next()); }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  // In [0, count), without modulo bias for count far below 2^32 (Lemire 2019, without the rejection).
  uint32_t below(uint32_t count) { return static_cast<uint32_t>((uint64_t{next()} * count) >> 32); }
  // Standard normal: Box and Muller 1958, one of the pair.
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log((next() + 1.0) * 0x1.0p-32));
    return radius * std::cos(6.283185307179586 * (next() * 0x1.0p-32));
  }
  // Fisher and Yates.
  template <class Container>
  void shuffle(Container& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(static_cast<uint32_t>(i))]);
  }

 private:
  Philox philox_;
  uint64_t index_ = 0;
};

}  // namespace melgrad
