// Stream: where an operation runs. On the CPU a thread pool; on CUDA the runtime's stream.
#pragma once

#include "kernels/arena.h"
#include "kernels/thread_pool.h"

namespace melgrad {

class Stream {
 public:
  // `threads` defaults to the shared pool, as it is when an operation runs.
  explicit Stream(Device device, ThreadPool* threads = nullptr) : device_(device), threads_(threads) {}

  Device device() const { return device_; }
  ThreadPool& threads() const { return threads_ != nullptr ? *threads_ : thread_pool(); }
  // Scratch memory for the length of an operation.
  Buffer workspace(int64_t bytes) const { return arena(device_).allocate(bytes); }

 private:
  Device device_;
  ThreadPool* threads_;
};

// The stream that tensors of this device use.
Stream& default_stream(Device device);

}  // namespace melgrad
