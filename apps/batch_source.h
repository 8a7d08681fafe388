// The batches of training, made by worker threads ahead of the trainer.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "apps/samples.h"

namespace melgrad {

struct BatchOptions {
  AugmentOptions augment{};
  int workers = 0;  // threads that make batches; 0: they are made when asked for
};

// A batch as numbers, before it becomes tensors.
struct HostBatch {
  int64_t size = 0;
  std::vector<float> inputs;    // (size, input…)
  std::vector<int32_t> labels;  // (size), or empty
  std::vector<float> targets;   // (size, outputs), or empty
  uint64_t hash() const;
};

// Batch k of an epoch is a function of samples, options, seed, epoch and k alone: any number of workers gives the same
// ones, in order, and an epoch may begin at any of them. At most two batches a worker wait to be taken. One thread takes
// them.
class BatchSource {
 public:
  // `samples` must outlive the source. mixup needs targets, a pitch shift of keys labels.
  BatchSource(const Samples& samples, const BatchOptions& options, int64_t batch, uint64_t seed);
  ~BatchSource();
  BatchSource(const BatchSource&) = delete;
  BatchSource& operator=(const BatchSource&) = delete;

  // From now on the batches of `order` (indices of samples) in this epoch, from batch `first` on. Batches that are under
  // way are dropped.
  void start(std::vector<int64_t> order, int64_t epoch, int64_t first = 0);
  // Throws Error after the epoch's last one, and what went wrong in a worker.
  HostBatch next();
  // The same on a device.
  Batch next(Device device);

 private:
  HostBatch make(int64_t number) const;
  void mix(HostBatch& batch, int64_t number) const;
  void work();
  void stop_workers();

  const Samples& samples_;
  BatchOptions options_;
  int64_t batch_;
  uint64_t seed_;
  std::vector<int64_t> order_;
  int64_t epoch_ = 0;
  int64_t batches_ = 0;  // of the epoch

  std::mutex mutex_;
  std::condition_variable wanted_, made_;
  int64_t taken_ = 0;    // number of the batch that next() gives
  int64_t claimed_ = 0;  // number of the batch that a free worker begins
  bool stop_ = false;
  std::map<int64_t, HostBatch> ready_;
  std::map<int64_t, std::exception_ptr> failed_;
  std::vector<std::thread> workers_;
};

}  // namespace melgrad
