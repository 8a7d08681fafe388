// What the tests of the simt engine share.
#pragma once

#include <string>
#include <vector>

#include "kernels/memory.h"
#include "kernels/simt/language.h"

namespace melgrad::simt {

template <class T>
struct Array {
  explicit Array(int64_t n)
      : buffer(arena(Device::simt).allocate(n * int64_t{sizeof(T)})),
        view{buffer.data(), Shape{n}, dtype_of<T>, Device::simt} {
    fill(view, -1);
  }
  std::vector<T> values() const {
    std::vector<T> result(static_cast<std::size_t>(view.numel()));
    copy(view, {result.data(), view.shape, view.dtype, Device::cpu});
    return result;
  }
  Buffer buffer;
  View view;
};

inline Stream& stream() {
  return default_stream(Device::simt);
}

// The message of the error that a launch of one block throws.
template <auto kernel, class... Arguments>
std::string error_of(dim3 grid, dim3 block, int64_t shared_bytes, Arguments... arguments) {
  try {
    launch<kernel>(grid, block, shared_bytes, stream(), arguments...);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

inline const Schedule schedules[] = {
    {ScheduleKind::forward, 0}, {ScheduleKind::backward, 0}, {ScheduleKind::shuffled, 1}, {ScheduleKind::shuffled, 2}};

}  // namespace melgrad::simt
