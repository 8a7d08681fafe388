#include "kernels/simt/block_runner.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <new>
#include <utility>

#include "kernels/error.h"
#include "kernels/philox.h"

namespace melgrad::simt {
namespace {

constexpr std::align_val_t shared_alignment{128};

thread_local BlockRunner* current_runner = nullptr;

// Unwinds a waiting thread after another one's error. Not an Error: no kernel catches it.
struct GivenUp {};

}  // namespace

struct BlockRunner::Worker {
  explicit Worker(BlockRunner& runner) : fiber([this, &runner] { runner.work(*this); }) {}
  Fiber fiber;
};

void BlockRunner::FreeShared::operator()(std::byte* data) const {
  ::operator delete(data, shared_alignment);
}

BlockRunner::BlockRunner() : shared_(static_cast<std::byte*>(::operator new(max_shared_bytes, shared_alignment))) {}

BlockRunner::~BlockRunner() {
  stopping_ = true;
  for (const auto& worker : workers_) worker->fiber.resume();
}

BlockRunner& BlockRunner::current() {
  return *current_runner;
}

void BlockRunner::run(const LaunchRequest& request, int64_t index, Recorder* recorder) {
  prepare(request, index);
  recorder_ = recorder;
  if (recorder_ != nullptr) recorder_->begin_block(index);
  BlockRunner* const previous = std::exchange(current_runner, this);
  run_threads();
  current_runner = previous;
  if (error_ != nullptr) std::rethrow_exception(std::exchange(error_, nullptr));
  if (recorder_ != nullptr) recorder_->end_block(shared_used_);
}

void BlockRunner::record(const Event& event) {
  if (recorder_ == nullptr) return;
  if (const auto conflict = recorder_->access(running_, event)) report_conflict(event, *conflict);
}

void BlockRunner::record_step(const void* code) {
  const BlockRunner* runner = current_runner;
  if (runner != nullptr && runner->recorder_ != nullptr && runner->runs_kernel_)
    runner->recorder_->step(runner->running_, code);
}

void BlockRunner::prepare(const LaunchRequest& request, int64_t index) {
  const dim3 block = request.block;
  request_ = &request;
  block_number_ = index;
  gridDim = request.grid;
  blockDim = block;
  blockIdx = block_at(index);

  count_ = static_cast<int>(block.x * block.y * block.z);
  threads_.assign(static_cast<std::size_t>(count_), Thread{});
  for (int id = 0; id < count_; ++id) {
    const auto i = static_cast<unsigned>(id);
    threads_[i].index = {i % block.x, i / block.x % block.y, i / block.x / block.y};
  }
  arrived_.fill(0);
  at_barrier_ = barriers_passed_ = returned_ = 0;
  ready_.reset(count_);
  draw_order();
  ready_.insert_all();

  declarations_.clear();
  shared_used_ = request.shared_bytes;
  std::memset(shared_.get(), 0xff, static_cast<std::size_t>(request.shared_bytes));
}

uint3 BlockRunner::block_at(int64_t number) const {
  const dim3 grid = request_->grid;
  return {static_cast<unsigned>(number % grid.x), static_cast<unsigned>(number / grid.x % grid.y),
          static_cast<unsigned>(number / grid.x / grid.y)};
}

void BlockRunner::draw_order() {
  std::vector<int>& order = ready_.order();
  if (request_->schedule.kind == ScheduleKind::backward) std::sort(order.begin(), order.end(), std::greater<>());
  if (request_->schedule.kind == ScheduleKind::shuffled) {
    Generator random(request_->schedule.seed, Draw::shuffle, static_cast<uint32_t>(block_number_),
                     static_cast<uint32_t>(barriers_passed_));
    random.shuffle(order);
  }
  ready_.finish_order();
}

void BlockRunner::run_threads() {
  for (int id = ready_.next(); id >= 0; id = ready_.next()) {
    Thread& thread = threads_[static_cast<std::size_t>(id)];
    Worker& worker = thread.state == State::unstarted ? idle_worker() : *thread.worker;
    worker.fiber.resume();
  }
  if (error_ == nullptr && returned_ < count_) {
    try {
      report_stuck();
    } catch (const Error&) {
      error_ = std::current_exception();
    }
  }
  if (returned_ < count_) give_up_waiting_threads();
}

BlockRunner::Worker& BlockRunner::idle_worker() {
  if (idle_.empty()) {
    workers_.push_back(std::make_unique<Worker>(*this));
    return *workers_.back();
  }
  Worker* worker = idle_.back();
  idle_.pop_back();
  return *worker;
}

// The body of a worker's fiber.
void BlockRunner::work(Worker& worker) {
  while (!stopping_) {
    for (int id = ready_.next(); id >= 0 && threads_[static_cast<std::size_t>(id)].state == State::unstarted;
         id = ready_.next()) {
      run_thread(id, worker);
    }
    idle_.push_back(&worker);
    worker.fiber.suspend();
  }
}

void BlockRunner::run_thread(int id, Worker& worker) {
  Thread& thread = threads_[static_cast<std::size_t>(id)];
  ready_.erase(id);
  thread.state = State::running;
  thread.worker = &worker;
  running_ = id;
  threadIdx = thread.index;
  runs_kernel_ = true;
  try {
    request_->run_thread(request_->arguments);
  } catch (const GivenUp&) {
  } catch (...) {
    if (error_ == nullptr) error_ = std::current_exception();
    ready_.clear();  // no other thread starts or goes on
  }
  thread.state = State::returned;
  ++returned_;
}

// The running thread stops here until it is ready again and its turn comes.
void BlockRunner::wait() {
  const int id = running_;
  Thread& thread = threads_[static_cast<std::size_t>(id)];
  thread.worker->fiber.suspend();
  if (giving_up_) throw GivenUp{};
  ready_.erase(id);
  thread.state = State::running;
  running_ = id;
  threadIdx = thread.index;
}

void BlockRunner::barrier(const std::source_location& where) {
  Thread& self = threads_[static_cast<std::size_t>(running_)];
  self.where = where;
  self.operation = "__syncthreads";
  self.state = State::at_barrier;
  if (++at_barrier_ == count_) {
    check_one_barrier(where);
    if (recorder_ != nullptr) recorder_->barrier();
    at_barrier_ = 0;
    ++barriers_passed_;
    if (request_->schedule.kind == ScheduleKind::shuffled) draw_order();
    ready_.insert_all();
  }
  wait();
}

void BlockRunner::collective(const char* operation, uint32_t mask, void* data, CompleteFunction complete,
                             const std::source_location& where) {
  const uint32_t bit = uint32_t{1} << lane();
  if ((mask & bit) == 0) fault(fmt::format("{}: lane {} is not in its mask {:#010x}", operation, lane(), mask), where);
  Thread& self = threads_[static_cast<std::size_t>(running_)];
  self.where = where;
  self.operation = operation;
  self.mask = mask;
  self.data = data;
  self.state = State::in_collective;
  uint32_t& arrived = arrived_[static_cast<std::size_t>(running_ / warpSize)];
  arrived |= bit;
  if ((arrived & mask) == mask) {
    const int first = running_ - lane();
    check_one_operation(first, mask);
    void* all[warpSize] = {};
    for (uint32_t left = mask; left != 0; left &= left - 1) {
      const int other = std::countr_zero(left);
      all[other] = threads_[static_cast<std::size_t>(first + other)].data;
      ready_.insert(first + other);
    }
    runs_kernel_ = false;
    complete(mask, all);
    runs_kernel_ = true;
    // Of all warp operations __syncwarp alone is a memory barrier.
    if (recorder_ != nullptr)
      recorder_->warp_operation(running_ / warpSize, mask, std::strcmp(operation, "__syncwarp") == 0);
    arrived &= ~mask;
  }
  wait();
}

void BlockRunner::give_up_waiting_threads() {
  giving_up_ = true;
  for (int id = 0; id < count_; ++id) {
    const Thread& thread = threads_[static_cast<std::size_t>(id)];
    if (thread.state != State::unstarted && thread.state != State::returned) thread.worker->fiber.resume();
  }
  giving_up_ = false;
}

std::byte* BlockRunner::shared_storage(int64_t bytes, const std::type_info& type, const std::source_location& where) {
  for (const SharedDeclaration& declaration : declarations_) {
    if (declaration.where.line() == where.line() && declaration.where.column() == where.column() &&
        *declaration.type == type && std::strcmp(declaration.where.file_name(), where.file_name()) == 0)
      return declaration.storage;
  }
  constexpr auto alignment = static_cast<int64_t>(shared_alignment);
  const int64_t offset = (shared_used_ + alignment - 1) / alignment * alignment;
  const int64_t declared = offset + bytes - request_->shared_bytes;
  if (declared > max_static_shared_bytes) {
    fault(fmt::format("the __shared__ arrays of the kernel take {} bytes, more than {}; use dynamic_shared", declared,
                      max_static_shared_bytes),
          where);
  }
  if (offset + bytes > max_shared_bytes) {
    fault(fmt::format("a block takes {} bytes of shared memory, more than {}", offset + bytes, max_shared_bytes),
          where);
  }
  shared_used_ = offset + bytes;
  std::memset(shared_.get() + offset, 0xff, static_cast<std::size_t>(bytes));
  declarations_.push_back({where, &type, shared_.get() + offset, bytes});
  return shared_.get() + offset;
}

}  // namespace melgrad::simt
