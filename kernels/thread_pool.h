// ThreadPool: fixed chunks of work on a fixed number of threads.
//
// Work is cut by its own size, never by the number of threads, so that a reduction over chunks gives the same bits for
// any number of threads. Calls are short (a layer of a small network takes tens of microseconds), so idle workers spin
// for a millisecond before they sleep; and they stay off the processor of the thread that calls, which is busy with the
// same work: some schedulers wake a thread where its waker runs, and there it would come when the work is done.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace melgrad {

class ThreadPool {
 public:
  // `threads` counts the calling thread: 1 starts none.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls body(0) … body(chunks - 1), each once, in any order and on any thread, and returns when all are done. The
  // first exception is thrown here. A call from inside a body runs its chunks in place.
  void run(int64_t chunks, const std::function<void(int64_t)>& body);

 private:
  struct Job {
    const std::function<void(int64_t)>* body;
    int64_t chunks;
    std::atomic<int64_t> next{0};
    std::exception_ptr error;
    std::mutex error_mutex;
  };
  void work(Job& job);
  void worker_loop();
  void leave_the_caller_its_processor();

  std::vector<std::thread> workers_;
  std::mutex caller_mutex_;   // one job at a time
  int callers_processor_;     // at the last call
  int left_to_callers_ = -1;  // which the workers keep off
  std::atomic<Job*> job_{nullptr};
  std::atomic<int64_t> workers_inside_{0};  // how many may hold the job: it is not retired before they leave
  std::atomic<uint32_t> generation_{0};     // changes with every job, and to stop
  std::atomic<bool> stop_{false};
};

// The pool that streams use unless told otherwise. set_threads(0) means one a processor; it must not be called while
// work runs.
ThreadPool& thread_pool();
void set_threads(int threads);

// body(begin, end) over [0, n) in chunks of `grain`.
template <class Body>
void parallel_for(ThreadPool& pool, int64_t n, int64_t grain, const Body& body) {
  if (n <= 0) return;
  const int64_t chunks = (n + grain - 1) / grain;
  if (chunks == 1) return body(int64_t{0}, n);
  pool.run(chunks, [&](int64_t chunk) {
    const int64_t begin = chunk * grain;
    body(begin, begin + grain < n ? begin + grain : n);
  });
}

}  // namespace melgrad
