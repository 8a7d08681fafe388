#include "kernels/thread_pool.h"

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>

#include "kernels/error.h"

namespace melgrad {
namespace {

// Longer than the gap between two calls (of a frontend, say, each with a result of its own to allocate), shorter than
// anyone minds: waking a thread that sleeps can take as long as the call itself.
constexpr std::chrono::microseconds spinning_time{1000};

thread_local bool inside_pool = false;

void pause_briefly() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

// Until done() or for so long at most. Now and then it lets those run who wait for this processor.
template <class Done>
void spin_until(const Done& done, std::chrono::microseconds longest) {
  constexpr int pauses_a_look = 64;  // at the clock
  const auto end = std::chrono::steady_clock::now() + longest;
  do {
    for (int i = 0; i < pauses_a_look; ++i) {
      if (done()) return;
      pause_briefly();
    }
    std::this_thread::yield();
  } while (std::chrono::steady_clock::now() < end);
}

// That the calling thread runs on just now, or -1 where nobody tells.
int current_processor() {
#if defined(__linux__)
  return sched_getcpu();
#else
  return -1;
#endif
}

}  // namespace

ThreadPool::ThreadPool(int threads) : callers_processor_(current_processor()) {
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
    spin_until([&] { return generation_.load() != seen; }, spinning_time);
    generation_.wait(seen);
    seen = generation_.load();
    if (stop_) return;
    workers_inside_.fetch_add(1);  // before the look at job_: see run()
    if (Job* job = job_.load()) work(*job);
    workers_inside_.fetch_sub(1);
  }
}

void ThreadPool::leave_the_caller_its_processor() {
  const int processor = current_processor();
  const bool stays = processor == callers_processor_;  // one that moves at every call is not worth following
  callers_processor_ = processor;
  if (!stays || processor < 0 || processor == left_to_callers_) return;
#if defined(__linux__)
  cpu_set_t others;
  if (sched_getaffinity(0, sizeof others, &others) != 0) return;
  CPU_CLR(processor, &others);
  if (CPU_COUNT(&others) == 0) return;
  for (std::thread& worker : workers_) pthread_setaffinity_np(worker.native_handle(), sizeof others, &others);
  left_to_callers_ = processor;
#endif
}

void ThreadPool::run(int64_t chunks, const std::function<void(int64_t)>& body) {
  if (chunks <= 0) return;
  if (workers_.empty() || chunks == 1 || inside_pool) {
    for (int64_t chunk = 0; chunk < chunks; ++chunk) body(chunk);
    return;
  }
  const std::lock_guard lock(caller_mutex_);
  leave_the_caller_its_processor();
  Job job;
  job.body = &body;
  job.chunks = chunks;
  job_ = &job;
  generation_.fetch_add(1);
  generation_.notify_all();
  work(job);
  job_ = nullptr;  // a worker that comes now finds no job; one that holds it is waited for
  while (workers_inside_.load() != 0) spin_until([&] { return workers_inside_.load() == 0; }, spinning_time);
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
