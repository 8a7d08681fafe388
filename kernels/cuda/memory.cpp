// Memory of the `cuda` device.
#include "kernels/memory.h"

#include <cuda_runtime.h>

namespace melgrad::cuda {
namespace {

void check(cudaError_t status, const char* what) {
  require(status == cudaSuccess, "cuda: {}: {}", what, cudaGetErrorString(status));
}

void* allocate(int64_t bytes) {
  void* data = nullptr;
  const cudaError_t status = cudaMalloc(&data, static_cast<std::size_t>(bytes));
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // it would be reported again by the next launch
    return nullptr;
  }
  check(status, "cudaMalloc");
  return data;
}

void free_block(void* data, int64_t) noexcept {
  cudaFree(data);  // fails only where an earlier kernel has, or at the end of the program
}

// Both wait for the kernels before them: the default stream keeps their order.
void to_host(Stream&, void* host, const void* device, int64_t bytes) {
  check(cudaMemcpy(host, device, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToHost), "cudaMemcpy to the host");
}

void from_host(Stream&, void* device, const void* host, int64_t bytes) {
  check(cudaMemcpy(device, host, static_cast<std::size_t>(bytes), cudaMemcpyHostToDevice), "cudaMemcpy to the GPU");
}

}  // namespace
}  // namespace melgrad::cuda

extern "C" {
extern __attribute__((visibility("default"))) const melgrad::MemoryFunctions melgrad_memory;
const melgrad::MemoryFunctions melgrad_memory{melgrad::cuda::allocate, melgrad::cuda::free_block,
                                              melgrad::cuda::to_host, melgrad::cuda::from_host};
}
