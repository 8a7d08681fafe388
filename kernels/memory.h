// Memory of a device: raw blocks for the arena, and copies between devices. An operation like the others: each device
// gives its MemoryFunctions.
#pragma once

#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

struct MemoryFunctions {
  void* (*allocate)(int64_t bytes);  // nullptr if there is none
  void (*free)(void* data, int64_t bytes) noexcept;
  void (*to_host)(Stream&, void* host, const void* device, int64_t bytes);    // returns when done
  void (*from_host)(Stream&, void* device, const void* host, int64_t bytes);  // returns when done
};

const MemoryFunctions& memory_functions(Device device);

// Copies the elements; shapes and dtypes are equal, devices may differ. `from` and `to` do not overlap.
void copy(ConstView from, View to);

// Every element becomes `value`, converted to the view's dtype.
void fill(View view, double value);

}  // namespace melgrad
