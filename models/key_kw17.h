// The key of a piece from a log-frequency spectrogram: input (frames, bins, 1), 24 keys; the frontend `log-frequency` has
// 105 bins and 5 frames a second.
//
// Korzeniowski and Widmer, "End-to-End Musical Key Estimation Using a Convolutional Neural Network", EUSIPCO 2017,
// section III: five convolutions, each frame projected to a short vector, the mean of these over time, a softmax. Any
// number of frames will do.
#pragma once

#include "layers/sequential.h"

namespace melgrad {

struct KeyKw17Options {
  int64_t classes = 24;
};

// 48,184 parameters for 105 bins and 24 classes, all trainable.
Sequential key_kw17(const KeyKw17Options& options);

}  // namespace melgrad
