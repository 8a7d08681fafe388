// The GTZAN genre classifier on MFCC: input (frames, coefficients, 1), 130 × 13 × 1 for three seconds.
//
// The network of the music genre lectures by Velardo ("Deep Learning (for Audio) with Python", part 16), as his code
// has it: three blocks of convolution, ReLU, max pooling and batch normalisation, then two dense layers.
#pragma once

#include "layers/sequential.h"

namespace melgrad {

struct GtzanCnnOptions {
  int64_t classes = 10;
  double dropout = 0.3;
};

// 25,162 parameters for 130 × 13 × 1 and 10 classes, 24,970 of them trainable.
Sequential gtzan_cnn(const GtzanCnnOptions& options);

}  // namespace melgrad
