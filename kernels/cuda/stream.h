// The stream of the `cuda` device, for kernels, copies and libraries alike: what is asked for first is done first, so
// memory that one kernel reads may be given to the next.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <string_view>

#include "kernels/error.h"

namespace melgrad::cuda {

// Throws with CUDA's text: "cuda: cudaMemcpyAsync: an illegal memory access was encountered".
inline void check(cudaError_t status, std::string_view what) {
  require(status == cudaSuccess, "cuda: {}: {}", what, cudaGetErrorString(status));
}

cudaStream_t main_stream();

// Returns when `host` may go; the copy is made in the order of the stream.
void upload_bytes(void* device, const void* host, int64_t bytes);

}  // namespace melgrad::cuda
