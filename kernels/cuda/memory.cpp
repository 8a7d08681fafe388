// Memory of the `cuda` device, and the stream in which everything runs.
#include "kernels/memory.h"

#include <cstring>
#include <mutex>

#include "kernels/cuda/stream.h"

namespace melgrad::cuda {
namespace {

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
  cudaFree(data);  // waits for the GPU; fails only where an earlier kernel has, or at the end of the program
}

// Waits for the kernels before it.
void to_host(Stream&, void* host, const void* device, int64_t bytes) {
  check(cudaMemcpyAsync(host, device, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToHost, main_stream()),
        "cudaMemcpyAsync to the host");
  check(cudaStreamSynchronize(main_stream()), "cudaStreamSynchronize");
}

void from_host(Stream&, void* device, const void* host, int64_t bytes) {
  upload_bytes(device, host, bytes);
}

// Pinned memory, which the GPU copies from by itself. A slot is taken again when its copy is done, which for small and
// few uploads is long before.
class Staging {
 public:
  void upload(void* device, const void* host, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    Slot& slot = slots_[next_++ % count];
    if (slot.copied == nullptr) {
      check(cudaEventCreateWithFlags(&slot.copied, cudaEventDisableTiming), "cudaEventCreate");
    } else {
      check(cudaEventSynchronize(slot.copied), "cudaEventSynchronize");
    }
    if (slot.bytes < bytes) grow(slot, bytes);
    std::memcpy(slot.data, host, bytes);
    check(cudaMemcpyAsync(device, slot.data, bytes, cudaMemcpyHostToDevice, main_stream()),
          "cudaMemcpyAsync to the GPU");
    check(cudaEventRecord(slot.copied, main_stream()), "cudaEventRecord");
  }

 private:
  static constexpr std::size_t count = 8;
  struct Slot {
    void* data = nullptr;
    std::size_t bytes = 0;
    cudaEvent_t copied = nullptr;
  };

  static void grow(Slot& slot, std::size_t bytes) {
    if (slot.data != nullptr) check(cudaFreeHost(slot.data), "cudaFreeHost");
    slot = {nullptr, 0, slot.copied};
    check(cudaMallocHost(&slot.data, bytes), "cudaMallocHost");
    slot.bytes = bytes;
  }

  std::mutex mutex_;
  std::size_t next_ = 0;
  Slot slots_[count];
};

}  // namespace

// It does not wait for the default stream, nor that for it. Never destroyed: at the end of the program the driver may be
// gone first.
cudaStream_t main_stream() {
  static const cudaStream_t stream = [] {
    cudaStream_t made = nullptr;
    check(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking), "cudaStreamCreate");
    return made;
  }();
  return stream;
}

// The host goes on as soon as the bytes are in pinned memory; the copy takes its turn among the kernels. What is too large
// to pin goes straight from where it lies, and the host waits.
void upload_bytes(void* device, const void* host, int64_t bytes) {
  constexpr int64_t most_pinned = int64_t{256} << 20;
  static Staging& staging = *new Staging;
  if (bytes <= most_pinned) return staging.upload(device, host, static_cast<std::size_t>(bytes));
  check(cudaMemcpyAsync(device, host, static_cast<std::size_t>(bytes), cudaMemcpyHostToDevice, main_stream()),
        "cudaMemcpyAsync to the GPU");
  check(cudaStreamSynchronize(main_stream()), "cudaStreamSynchronize");
}

}  // namespace melgrad::cuda

extern "C" {
extern __attribute__((visibility("default"))) const melgrad::MemoryFunctions melgrad_memory;
const melgrad::MemoryFunctions melgrad_memory{melgrad::cuda::allocate, melgrad::cuda::free_block,
                                              melgrad::cuda::to_host, melgrad::cuda::from_host};
// For kernels outside of the module, as those of docs/kernels.
extern __attribute__((visibility("default"))) cudaStream_t (*const melgrad_main_stream)();
cudaStream_t (*const melgrad_main_stream)() = melgrad::cuda::main_stream;
}
