// What BlockRunner says when a block goes wrong.
#include <bit>
#include <cstring>

#include "kernels/error.h"
#include "kernels/simt/array_names.h"
#include "kernels/simt/block_runner.h"

namespace melgrad::simt {
namespace {

std::string to_string(const uint3& index) {
  return fmt::format("({}, {}, {})", index.x, index.y, index.z);
}

bool same_line(const std::source_location& a, const std::source_location& b) {
  return a.line() == b.line() && std::strcmp(a.file_name(), b.file_name()) == 0;
}

}  // namespace

std::string to_string(const std::source_location& where) {
  const std::string_view path = where.file_name();
  return fmt::format("{}:{}", path.substr(path.rfind('/') + 1), where.line());
}

void BlockRunner::fault(const std::string& what, const std::source_location& where) const {
  fault_in(running_, what, where);
}

void BlockRunner::fault_in(int id, const std::string& what, const std::source_location& where) const {
  fail("simt: {}, block {}, thread {}, {}: {}", request_->kernel, to_string(blockIdx),
       to_string(threads_[static_cast<std::size_t>(id)].index), to_string(where), what);
}

std::string BlockRunner::array_of(const void* address) const {
  const auto* byte = static_cast<const std::byte*>(address);
  for (const SharedDeclaration& declaration : declarations_)
    if (byte >= declaration.storage && byte < declaration.storage + declaration.bytes)
      return "a shared array declared at " + to_string(declaration.where);
  if (byte >= shared_.get() && byte < shared_.get() + max_shared_bytes) return "the dynamic shared memory";
  return global_array_of(address);
}

void BlockRunner::report_conflict(const Event& event, const RaceDetector::Conflict& conflict) const {
  using Problem = RaceDetector::Problem;
  const std::string array = array_of(event.address);
  if (conflict.problem == Problem::unwritten)
    fault(fmt::format("reads an element of {} that no thread of the block has written", array), event.where);
  const RaceDetector::Moment& other = conflict.other;
  const bool same_block = other.block == block_number_;
  std::string who = fmt::format("thread {}", to_string(threads_[static_cast<std::size_t>(other.thread)].index));
  if (!same_block) who += fmt::format(" of block {}", to_string(block_at(other.block)));
  fault(fmt::format("race: {} an element of {} that {} {} at {}; {}",
                    conflict.problem == Problem::read_after_write ? "reads" : "writes", array, who,
                    conflict.problem == Problem::write_after_read ? "reads" : "writes", to_string(other.where),
                    same_block ? "no barrier is between" : "nothing orders the blocks of a launch"),
        event.where);
}

std::string BlockRunner::describe(int id) const {
  const Thread& thread = threads_[static_cast<std::size_t>(id)];
  const std::string name = fmt::format("thread {}", to_string(thread.index));
  if (thread.state == State::returned) return name + " has returned";
  return fmt::format("{} is in {} at {}", name, thread.operation, to_string(thread.where));
}

void BlockRunner::check_one_barrier(const std::source_location& where) const {
  for (int id = 0; id < count_; ++id) {
    if (!same_line(threads_[static_cast<std::size_t>(id)].where, where))
      fault("the threads of the block meet at different barriers: " + describe(id), where);
  }
}

void BlockRunner::check_one_operation(int first_thread, uint32_t mask) const {
  const Thread& self = threads_[static_cast<std::size_t>(running_)];
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    const int id = first_thread + std::countr_zero(left);
    const Thread& other = threads_[static_cast<std::size_t>(id)];
    if (std::strcmp(other.operation, self.operation) != 0)
      fault(fmt::format("{} meets another operation: {}", self.operation, describe(id)), self.where);
    if (other.mask != mask)
      fault(fmt::format("{} with mask {:#010x} meets another mask, {:#010x}: {}", self.operation, mask, other.mask,
                        describe(id)),
            self.where);
  }
}

void BlockRunner::report_stuck() const {
  // A lane that is missed in its warp may be why a barrier is not reached, so it is told first.
  for (State state : {State::in_collective, State::at_barrier}) {
    for (int id = 0; id < count_; ++id) {
      if (threads_[static_cast<std::size_t>(id)].state != state) continue;
      state == State::at_barrier ? report_missed_barrier(id) : report_absent_lane(id);
    }
  }
  fail("simt: {}, block {}: the engine lost a thread", request_->kernel, to_string(blockIdx));
}

void BlockRunner::report_missed_barrier(int waiting) const {
  int missing = 0;
  while (threads_[static_cast<std::size_t>(missing)].state == State::at_barrier) ++missing;
  fault_in(waiting,
           fmt::format("__syncthreads is reached by {} of the {} threads of the block: {}", at_barrier_, count_,
                       describe(missing)),
           threads_[static_cast<std::size_t>(waiting)].where);
}

void BlockRunner::report_absent_lane(int waiting) const {
  const Thread& self = threads_[static_cast<std::size_t>(waiting)];
  const int first = waiting / warpSize * warpSize;
  const uint32_t absent = self.mask & ~arrived_[static_cast<std::size_t>(waiting / warpSize)];
  // None is absent where the lanes wait with masks that do not agree.
  const int other = absent != 0 ? std::countr_zero(absent) : -1;
  std::string reason = "its lanes wait with different masks";
  if (other >= 0) {
    reason = fmt::format("lane {} is absent: ", other) +
             (first + other < count_ ? describe(first + other) : "the block has no such thread");
  }
  fault_in(waiting, fmt::format("{} with mask {:#010x}: {}", self.operation, self.mask, reason), self.where);
}

}  // namespace melgrad::simt
