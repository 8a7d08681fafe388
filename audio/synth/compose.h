// Composition: a clip's score, drawn from a genre's tables.
#pragma once

#include <cstdint>
#include <optional>

#include "audio/synth/genres.h"
#include "audio/synth/score.h"

namespace melgrad {

struct ComposeOptions {
  double seconds = 30;
  uint64_t seed = 1;
  int64_t clip = 0;            // draws depend on (seed, clip) and the genre alone
  std::optional<int> tonic{};  // in place of the ones that are drawn
  std::optional<Mode> mode{};
  int64_t sections = 5;  // verse, chorus and so on: each draws its groove, patterns and instruments anew
};

// A score of options.seconds in `genre`: key, tempo, groove, progression, instruments, register, melody and mastering
// are drawn; the clip starts anywhere in a bar, as an excerpt does. Throws Error for a malformed table.
Score compose(const Genre& genre, const ComposeOptions& options);

}  // namespace melgrad
