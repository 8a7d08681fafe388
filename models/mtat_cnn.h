// Taggers of the 188 tags of MagnaTagATune: input (frames, mel bands, 1), 683 × 48 × 1 or × 96 from the frontend `mtat`.
//
// Convolutions 3 × 3 with ReLU, all but the last followed by a max pool, then one dense layer with softmax over the tags,
// trained on labels that are scaled to sum 1. The published picture of these networks is not at hand: mtat_cnn3 is as its
// text lists it; the widths and pools of mtat_cnn and mtat_cnn2 are ours, by the same idea. Features narrow early, so
// that the last layer, one weight a feature and tag, stays small.
#pragma once

#include "layers/sequential.h"

namespace melgrad {

struct MtatCnnOptions {
  int64_t classes = 188;
};

Sequential mtat_cnn(const MtatCnnOptions& options);   // three convolutions
Sequential mtat_cnn2(const MtatCnnOptions& options);  // four
Sequential mtat_cnn3(const MtatCnnOptions& options);  // six

}  // namespace melgrad
