// The key of a piece from its spectrogram drawn as a grey picture: input (88, 88, 1), 24 keys.
//
// Small 2 × 2 kernels on a picture of the whole file (the frontend `key-spectrogram`), and the mean over all of it before
// the last layer: what is left of a key then is which shapes occur, not at which frequency. The network is kept as it was
// published, with that weakness; key_kw17.h is the stronger relative.
#pragma once

#include "layers/sequential.h"

namespace melgrad {

struct KeyCnnOptions {
  int64_t classes = 24;
};

// 19,432 parameters for 24 classes, all trainable.
Sequential key_cnn(const KeyCnnOptions& options);

}  // namespace melgrad
