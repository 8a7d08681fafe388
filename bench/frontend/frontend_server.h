// melgrad's side of bench/peers/frontend.py: `melgrad-bench --frontend-server` times what it is told to on standard
// input, a line a request, so that a script can set melgrad and its peers side by side, turn by turn.
//
//   compute REPEATS THREADS SIMD SAMPLES OUT KEY=VALUE…   samples (raw f32 at the options' rate) to features; prints the
//                                                         frames, the bins and the milliseconds of each repeat, and
//                                                         writes the features to OUT (raw f32, frames × bins)
//   file REPEATS THREADS SIMD AUDIO OUT KEY=VALUE…        decoding and resampling too; prints frames, bins, and a line
//                                                         each of milliseconds: decoding, resampling, features
//
// SIMD is a name of kernels/simd.h, or "best"; KEY=VALUE are [frontend] keys, `preset` first if it is there.
#pragma once

#include <iostream>

namespace melgrad::bench {

int serve_frontend(std::istream& requests, std::ostream& answers);

}  // namespace melgrad::bench
