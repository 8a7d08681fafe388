// A tagger that reads a song in steps: input (frames, mel bands, 1), 1366 × 96 × 1 from the frontend `choi`, 50 tags.
//
// Choi, Fazekas, Sandler and Cho, "Convolutional Recurrent Neural Networks for Music Classification", ICASSP 2017, as the
// author released it with weights (github.com/keunwoochoi/music-auto_tagging-keras, MusicTaggerCRNN), stated as mel × time:
// four blocks of convolution reduce each two seconds to a vector, two GRU read these. The GRU are those of Keras 1.
#pragma once

#include "layers/sequential.h"

namespace melgrad {

struct ChoiCrnnOptions {
  int64_t classes = 50;
  double dropout = 0.3;        // before the last layer
  double block_dropout = 0.1;  // after each block
};

// 400,562 parameters for 1366 × 96 × 1 and 50 classes, 396,786 of them trainable.
Sequential choi_crnn(const ChoiCrnnOptions& options);

}  // namespace melgrad
