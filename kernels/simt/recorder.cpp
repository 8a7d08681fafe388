#include "kernels/simt/recorder.h"

#include <algorithm>

namespace melgrad::simt {

Recorder::Recorder(const LaunchRequest& request, const std::byte* shared)
    : request_(request),
      watch_(request.recording->watch()),
      threads_(static_cast<int>(request.block.x * request.block.y * request.block.z)) {
  counts_.name = request.kernel;
  counts_.threads_per_block = threads_;
  if (watch_.races) races_.emplace(threads_, shared);
}

void Recorder::finish() {
  if (!watch_.counts) return;
  counter_.add_to(counts_);
  request_.recording->add(counts_);
}

void Recorder::begin_block(int64_t index) {
  ++counts_.blocks;
  counts_.warps += (threads_ + warpSize - 1) / warpSize;
  if (watch_.counts) counter_.begin_block(threads_);
  if (races_) races_->begin_block(index);
}

std::optional<RaceDetector::Conflict> Recorder::access(int thread, const Event& event) {
  if (watch_.counts) counter_.add(thread, event);
  return races_ ? races_->access(thread, event) : std::nullopt;
}

void Recorder::step(int thread, const void* code) {
  if (watch_.counts && watch_.branches) counter_.add(thread, {.code = code, .where = {}});
}

void Recorder::barrier() {
  ++counts_.barriers;
  if (watch_.counts) counter_.replay_block();
  if (races_) races_->barrier();
}

void Recorder::warp_operation(int warp, uint32_t mask, bool orders_memory) {
  if (races_ && orders_memory) races_->warp_barrier(warp, mask);
  const int lanes = std::min(warpSize, threads_ - warp * warpSize);
  const bool whole = mask == 0xffffffff >> (warpSize - lanes);
  if (watch_.counts && whole) counter_.replay_warp(warp);
}

void Recorder::end_block(int64_t shared_bytes) {
  counts_.shared_bytes = std::max(counts_.shared_bytes, shared_bytes);
  if (watch_.counts) counter_.replay_block();
}

}  // namespace melgrad::simt
