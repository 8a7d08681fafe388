// Fully convolutional taggers: input (frames, mel bands, 1), 1366 × 96 × 1 from the frontend `choi`, 50 tags.
//
// Choi, Fazekas and Sandler, "Automatic Tagging Using Deep Convolutional Neural Networks", ISMIR 2016. choi_fcn5 is the
// network whose weights the author released (github.com/keunwoochoi/music-auto_tagging-keras, MusicTaggerCNN), which is
// narrower than the paper's FCN-5; it is stated as mel × time, and so is computed here. The input is normalised at each
// of its frames, over the bands: that is what the released network does, whatever its layer's name says.
// choi_fcn3 and choi_fcn4 have the released network's first widths and its last, so that depth is what differs: their
// widths are ours, the paper's being too wide for the same comparison. As in the paper, pools leave a map of 1 × 1.
#pragma once

#include "layers/sequential.h"

namespace melgrad {

struct ChoiFcnOptions {
  int64_t classes = 50;
};

Sequential choi_fcn3(const ChoiFcnOptions& options);
Sequential choi_fcn4(const ChoiFcnOptions& options);
// 870,154 parameters for 1366 × 96 × 1 and 50 classes, 865,950 of them trainable.
Sequential choi_fcn5(const ChoiFcnOptions& options);

}  // namespace melgrad
