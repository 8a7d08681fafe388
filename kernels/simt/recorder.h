// Recorder: what BlockRunner tells of the blocks that one host thread runs of a recorded launch.
#pragma once

#include "kernels/simt/access_counter.h"
#include "kernels/simt/engine.h"
#include "kernels/simt/race_detector.h"

namespace melgrad::simt {

class Recorder {
 public:
  // `shared` is where the blocks' shared memory begins.
  Recorder(const LaunchRequest& request, const std::byte* shared);
  // Hands what was counted to the Recording.
  void finish();

  void begin_block(int64_t index);
  // What is wrong with the access, where races are watched for.
  std::optional<RaceDetector::Conflict> access(int thread, const Event& event);
  void step(int thread, const void* code);
  void barrier();
  // The lanes of `mask` have met in a warp operation; __syncwarp orders their accesses too.
  void warp_operation(int warp, uint32_t mask, bool orders_memory);
  void end_block(int64_t shared_bytes);

 private:
  const LaunchRequest& request_;
  Watch watch_;
  int threads_;
  KernelCounts counts_;
  AccessCounter counter_;
  std::optional<RaceDetector> races_;
};

}  // namespace melgrad::simt
