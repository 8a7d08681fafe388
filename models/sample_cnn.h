// Taggers of raw samples: input (samples, 1), 59049 × 1 = 3¹⁰ samples at 22,050 Hz, 2.7 s; 50 tags.
//
// Lee, Park, Kim and Nam, "Sample-level Deep Convolutional Neural Networks for Music Auto-tagging Using Raw Waveforms",
// SMC 2017: modules of convolution, batch norm, ReLU and max pooling, with kernels and pools of a few samples, until one
// step is left; then a convolution of width 1 and a dense layer.
#pragma once

#include "layers/sequential.h"

namespace melgrad {

// Pools from the first module on: ten modules of 3. A variant seen in released code, trained with squared error.
struct SampleCnnOptions {
  int64_t classes = 50;
  double dropout = 0.1;
};
// 1,875,762 parameters for 50 classes, 1,869,874 of them trainable.
Sequential sample_cnn(const SampleCnnOptions& options);

// The paper's family mⁿ: a convolution of `base` samples with the same stride and no pool, then `depth` modules whose
// kernels and pools have `base` samples. It takes base^(depth + 1) samples. The paper's best, 3⁹, is the default and the
// registry's `samplecnn-strided`; its widths are 128, 128 and 128, then 256, and 512 for the last module. For other
// depths the same rule holds, which is ours: two modules of 128, one of 512 at the end, 256 between them.
struct SampleMnOptions {
  int64_t classes = 50;
  int64_t base = 3;
  int64_t depth = 9;
  double dropout = 0.5;
};
// The parameters of sample_cnn() for the default. Initial weights of convolutions are He's, uniform.
Sequential sample_mn(const SampleMnOptions& options);

}  // namespace melgrad
