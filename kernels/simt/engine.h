// The simt engine: runs CUDA kernels on the host, each CUDA thread as a fiber. docs/simt.md tells how.
//
// What kernels use of CUDA's language (__syncthreads, shuffles, shared memory) is built on the functions here; see
// language.h. They are called from inside a kernel only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>
#include <typeinfo>

#include "kernels/simt/recording.h"
#include "kernels/simt/schedule.h"
#include "kernels/simt/vector_types.h"

namespace melgrad {
class ThreadPool;
}

namespace melgrad::simt {

// The limits of the GPUs that the cuda device is built for, compute capability 9.0.
inline constexpr int64_t max_threads_per_block = 1024;
inline constexpr int64_t max_shared_bytes = 227 * 1024;        // a block's, dynamic and static together
inline constexpr int64_t max_static_shared_bytes = 48 * 1024;  // declared with __shared__
inline constexpr int warpSize = 32;

// CUDA's built-in variables, of the thread that runs.
extern constinit thread_local uint3 threadIdx;
extern constinit thread_local uint3 blockIdx;
extern constinit thread_local dim3 blockDim;
extern constinit thread_local dim3 gridDim;

struct LaunchRequest {
  std::string_view kernel;  // its name, for errors
  dim3 grid;
  dim3 block;
  int64_t shared_bytes = 0;  // dynamic shared memory
  void (*run_thread)(const void* arguments) = nullptr;
  const void* arguments = nullptr;
  Schedule schedule;
  Recording* recording = nullptr;  // that of the launching thread
  bool records = false;            // whether the kernel was built to
};

// Runs every thread of every block; blocks are spread over the pool. Throws Error for a launch past the limits, and
// the first error of a thread.
void run(const LaunchRequest& request, ThreadPool& pool);

// Throws an Error that names the kernel, block, thread and source line.
[[noreturn]] void fault(const std::string& what, const std::source_location& where);

// "activation.cu:31"
std::string to_string(const std::source_location& where);

// The lane of the running thread in its warp, 0 … 31.
int lane();

// __syncthreads(): returns when every thread of the block is here.
void barrier(const std::source_location& where);

// The one way in which the lanes of a warp meet. Each lane of `mask` leaves a pointer; the last to arrive calls
// complete(mask, data) with all of them, data[lane], and all go on. `operation` is the name of what they do: lanes that
// meet in different operations, or with different masks, are an error. So is a lane that never comes.
using CompleteFunction = void (*)(uint32_t mask, void* const* data);
void collective(const char* operation, uint32_t mask, void* data, CompleteFunction complete,
                const std::source_location& where);

// An access of the running thread to an element, in a program that is built to record; `piece` is its alignment.
void record_access(Access access, const void* element, std::size_t bytes, std::size_t piece,
                   const std::source_location& where);

// The block's memory for a __shared__ declaration, told apart by its source line and type. It starts as NaN: all bits
// are set.
std::byte* shared_storage(int64_t bytes, const std::type_info& type, const std::source_location& where);

struct SharedRange {
  std::byte* begin;
  int64_t bytes;
};
SharedRange dynamic_shared_storage();

}  // namespace melgrad::simt
