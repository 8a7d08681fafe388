// BlockRunner: runs the threads of one block on one host thread.
//
// A worker is a fiber that runs threads to completion, one after the other. Only when a thread waits, at a barrier or
// for the lanes of its warp, does another worker take over; so a kernel that never waits is a plain loop. A thread that
// waits keeps its worker until it has returned.
#pragma once

#include <array>
#include <exception>
#include <memory>
#include <vector>

#include "kernels/simt/engine.h"
#include "kernels/simt/fiber.h"
#include "kernels/simt/ready_set.h"
#include "kernels/simt/recorder.h"

namespace melgrad::simt {

class BlockRunner {
 public:
  BlockRunner();
  ~BlockRunner();
  BlockRunner(const BlockRunner&) = delete;
  BlockRunner& operator=(const BlockRunner&) = delete;

  // Runs block `index` of the launch, and tells `recorder`, if there is one. Throws the first error of a thread; the
  // others are then given up.
  void run(const LaunchRequest& request, int64_t index, Recorder* recorder);

  // The runner whose thread runs on this host thread.
  static BlockRunner& current();
  const std::byte* shared_memory() const { return shared_.get(); }
  // Of which array `address` is a byte, for errors: "a shared array declared at sum.cu:21".
  std::string array_of(const void* address) const;

  // The functions of engine.h, for the thread that runs.
  [[noreturn]] void fault(const std::string& what, const std::source_location& where) const;
  int lane() const { return running_ % warpSize; }
  void barrier(const std::source_location& where);
  void collective(const char* operation, uint32_t mask, void* data, CompleteFunction complete,
                  const std::source_location& where);
  std::byte* shared_storage(int64_t bytes, const std::type_info& type, const std::source_location& where);
  void record(const Event& event);
  static void record_step(const void* code);
  SharedRange dynamic_shared_storage() { return {shared_.get(), request_->shared_bytes}; }

 private:
  struct Worker;
  enum class State : uint8_t { unstarted, running, at_barrier, in_collective, returned };

  struct Thread {
    uint3 index;
    State state = State::unstarted;
    Worker* worker = nullptr;
    // Where it waits, for what, and what it brought.
    std::source_location where;
    const char* operation = "";
    uint32_t mask = 0;
    void* data = nullptr;
  };

  struct SharedDeclaration {
    std::source_location where;
    const std::type_info* type;
    std::byte* storage;
    int64_t bytes;
  };

  struct FreeShared {
    void operator()(std::byte* data) const;
  };

  void prepare(const LaunchRequest& request, int64_t index);
  uint3 block_at(int64_t number) const;
  void draw_order();
  void run_threads();
  void work(Worker& worker);
  void run_thread(int id, Worker& worker);
  Worker& idle_worker();
  void wait();
  void give_up_waiting_threads();

  [[noreturn]] void report_conflict(const Event& event, const RaceDetector::Conflict& conflict) const;
  void check_one_barrier(const std::source_location& where) const;
  void check_one_operation(int first_thread, uint32_t mask) const;
  // A thread waits that none can wake: the error that tells for whom.
  [[noreturn]] void report_stuck() const;
  [[noreturn]] void report_missed_barrier(int waiting) const;
  [[noreturn]] void report_absent_lane(int waiting) const;
  std::string describe(int id) const;  // "thread (3, 0, 0) has returned"
  [[noreturn]] void fault_in(int id, const std::string& what, const std::source_location& where) const;

  const LaunchRequest* request_ = nullptr;
  Recorder* recorder_ = nullptr;
  bool runs_kernel_ = false;  // and not code of its own that lanes meet in
  int64_t block_number_ = 0;
  int count_ = 0;  // threads of the block
  std::vector<Thread> threads_;
  ReadySet ready_;
  std::array<uint32_t, max_threads_per_block / warpSize> arrived_{};  // of each warp, the lanes in a collective
  int at_barrier_ = 0;
  int barriers_passed_ = 0;
  int returned_ = 0;
  int running_ = 0;  // the thread that runs
  std::exception_ptr error_;
  bool giving_up_ = false;  // waiting threads unwind
  bool stopping_ = false;   // workers return

  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Worker*> idle_;

  std::unique_ptr<std::byte, FreeShared> shared_;
  int64_t shared_used_ = 0;
  std::vector<SharedDeclaration> declarations_;
};

}  // namespace melgrad::simt
