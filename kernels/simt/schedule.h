// In which order the simt engine runs the threads of a block.
//
// CUDA promises no order, so a correct kernel gives the same result under every one. A kernel that lacks a barrier does
// not: the tests run each kernel under all of these and compare.
#pragma once

#include <cstdint>

#include "kernels/enum_names.h"

namespace melgrad::simt {

enum class ScheduleKind : uint8_t {
  forward,   // of the threads that can run, the lowest-numbered
  backward,  // the highest-numbered; blocks, too, run from the last to the first
  shuffled,  // by a random order of the threads, drawn anew at every barrier
};

struct Schedule {
  ScheduleKind kind = ScheduleKind::forward;
  uint64_t seed = 0;  // of `shuffled`
};

// The schedule of the launches that the calling thread makes; `forward` unless a ScheduleScope says otherwise.
const Schedule& current_schedule();

// Sets the schedule for its own lifetime.
class ScheduleScope {
 public:
  explicit ScheduleScope(Schedule schedule);
  ~ScheduleScope();
  ScheduleScope(const ScheduleScope&) = delete;
  ScheduleScope& operator=(const ScheduleScope&) = delete;

 private:
  Schedule previous_;
};

}  // namespace melgrad::simt

namespace melgrad {

template <>
inline constexpr EnumNames<simt::ScheduleKind, 3> enum_names<simt::ScheduleKind>{
    {{simt::ScheduleKind::forward, "forward"},
     {simt::ScheduleKind::backward, "backward"},
     {simt::ScheduleKind::shuffled, "shuffled"}}};

}  // namespace melgrad
