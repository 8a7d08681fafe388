#include "kernels/thread_pool.h"

#include <algorithm>
#include <exception>
#include <memory>

#include "kernels/error.h"

namespace melgrad {
namespace {

// About 50 microseconds: longer than the gap between two layers, shorter than anyone minds.
constexpr int spins_before_sleep = 20'000;

thread_local bool inside_pool = false;

void pause_briefly() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  require(threads >= 1, "thread pool: {} threads, expected at least 1", threads);
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { worker_loop(); });
}

ThreadPool::~ThreadPool() {
  stop_ = true;
  generation_.fetch_add(1);
  generation_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::work(Job& job) {
  inside_pool = true;
  for (int64_t chunk; (chunk = job.next.fetch_add(1, std::memory_order_relaxed)) < job.chunks;) {
    try {
      (*job.body)(chunk);
    } catch (...) {
      const std::lock_guard lock(job.error_mutex);
      if (!job.error) job.error = std::current_exception();
      job.next = job.chunks;  // leave the rest
    }
  }
  inside_pool = false;
}

void ThreadPool::worker_loop() {
  uint32_t seen = 0;
  for (;;) {
    for (int spin = 0; spin < spins_before_sleep && generation_.load() == seen; ++spin) pause_briefly();
    generation_.wait(seen);
    seen = generation_.load();
    if (stop_) return;
    workers_inside_.fetch_add(1);  // before the look at job_: see run()
    if (Job* job = job_.load()) work(*job);
    workers_inside_.fetch_sub(1);
  }
}

void ThreadPool::run(int64_t chunks, const std::function<void(int64_t)>& body) {
  if (chunks <= 0) return;
  if (workers_.empty() || chunks == 1 || inside_pool) {
    for (int64_t chunk = 0; chunk < chunks; ++chunk) body(chunk);
    return;
  }
  const std::lock_guard lock(caller_mutex_);
  Job job;
  job.body = &body;
  job.chunks = chunks;
  job_ = &job;
  generation_.fetch_add(1);
  generation_.notify_all();
  work(job);
  job_ = nullptr;  // a worker that comes now finds no job; one that holds it is waited for
  while (workers_inside_.load() != 0) pause_briefly();
  if (job.error) std::rethrow_exception(job.error);
}

namespace {

std::unique_ptr<ThreadPool>& shared_pool() {
  static std::unique_ptr<ThreadPool> pool;
  return pool;
}

}  // namespace

void set_threads(int threads) {
  require(threads >= 0, "threads: {} is negative", threads);
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  shared_pool() = std::make_unique<ThreadPool>(threads);
}

ThreadPool& thread_pool() {
  if (!shared_pool()) set_threads(0);
  return *shared_pool();
}

}  // namespace melgrad
