// The cuda device's side of portability.h: thin names over the CUDA runtime.
#pragma once

#include <source_location>
#include <type_traits>
#include <vector>

#include "kernels/cuda/stream.h"
#include "kernels/kernel_name.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad::cuda {

inline constexpr bool libraries_are_real = true;  // cuBLAS, cuDNN, cuFFT

template <class T>
using Global = T*;
template <class T>
using Shared = T*;

template <class T>
Global<T> global(std::conditional_t<std::is_const_v<T>, ConstView, View> view) {
  require(view.device == Device::cuda, "cuda: a kernel was given memory of {}", name_of(view.device));
  return view.template as<std::remove_const_t<T>>();
}

// A workspace as elements of any type.
template <class T>
Global<T> global(const Buffer& buffer) {
  return static_cast<T*>(buffer.data());
}

// Values in a workspace of their own.
template <class T>
Buffer upload(Stream& stream, const std::vector<T>& values) {
  const auto bytes = static_cast<int64_t>(values.size() * sizeof(T));
  Buffer buffer = stream.workspace(bytes);
  upload_bytes(buffer.data(), values.data(), bytes);
  return buffer;
}

// Blocks of a kernel whose threads stride over their array: two waves of 256 threads on the largest GPU.
inline constexpr int64_t max_striding_blocks = 2 * 8 * 132;

template <class T, int64_t size, int64_t... inner>
struct SharedArrayType {
  using type = typename SharedArrayType<T, inner...>::type[size];
};
template <class T, int64_t size>
struct SharedArrayType<T, size> {
  using type = T[size];
};
template <class T, int64_t... sizes>
using SharedArray = typename SharedArrayType<T, sizes...>::type;

template <class T>
__device__ __forceinline__ T* dynamic_shared(int64_t offset = 0) {
  extern __shared__ __align__(128) unsigned char melgrad_dynamic_shared[];
  return reinterpret_cast<T*>(melgrad_dynamic_shared + offset);
}

template <class Vector, class T>
__host__ __device__ __forceinline__ Vector* vector_cast(T* pointer) {
  return reinterpret_cast<Vector*>(pointer);
}

// Starts the kernel; an error of the launch itself throws here, one of its execution at the next call that waits.
template <auto kernel, class... Arguments>
void launch(dim3 grid, dim3 block, int64_t shared_bytes, Stream&, Arguments... arguments) {
  static const std::string name = kernel_name(std::source_location::current().function_name());
  constexpr int64_t without_asking = 48 * 1024;  // more shared memory than this a kernel must be allowed
  if (shared_bytes > without_asking) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes)),
          name);
  }
  kernel<<<grid, block, static_cast<std::size_t>(shared_bytes), main_stream()>>>(arguments...);
  check(cudaGetLastError(), name);
}

}  // namespace melgrad::cuda
