// The genre of half a minute of music: input (frames, mel bands, 1), 1024 × 128 × 1 from the frontend `fma-mel`, the eight
// genres of the Free Music Archive's small set (Defferrard et al., ISMIR 2017).
//
// Blocks of convolution 3 × 3, batch norm, ReLU and max pooling on mel × time, then the mean over what is left. The widths
// are ours: no network was published with them. Five blocks see 94 of the 128 bands and 16 seconds at once; most
// weights stand late, where the maps are small, so that a clip costs about as much as in choi-fcn5.
#pragma once

#include "layers/sequential.h"

namespace melgrad {

struct FmaCnnOptions {
  int64_t classes = 8;
  double dropout = 0.3;
};

// 539,912 parameters for 8 classes, 538,696 of them trainable.
Sequential fma_cnn(const FmaCnnOptions& options);

}  // namespace melgrad
