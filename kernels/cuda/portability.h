// The one header of a .cu file, which is compiled twice:
//
//            compiled by         namespace      Global<T>, Shared<T>     launch<kernel>(…)
//   cuda     nvcc                melgrad::cuda  T*                       kernel<<<…>>>(…), checked
//   simt     the host compiler   melgrad::simt  T* with bounds checks    the engine of kernels/simt/
//
// A kernel file reads
//
//   namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
//   namespace {
//   __global__ void scale_kernel(Global<const float> x, Global<float> y, int64_t n) { … }
//   void forward(Stream& stream, ConstView x, View y) {
//     launch<scale_kernel>(blocks, 256, 0, stream, global<const float>(x), global<float>(y), x.numel());
//   }
//   }  // namespace
//   MELGRAD_EXPORT_FUNCTIONS(ScaleFunctions, scale, forward)
//   }  // namespace
//
// Shared memory: `__shared__ SharedArray<float, 16, 65> tile;` or `Shared<float> row = dynamic_shared<float>();`.
// Four elements in one access: `vector_cast<const float4>(x)[i]`.
#pragma once

#include <algorithm>

#include "kernels/stream.h"
#include "kernels/view.h"

#if defined(__CUDACC__)

#include "kernels/cuda/runtime.h"
#define MELGRAD_DEVICE_NAMESPACE cuda
#define MELGRAD_UNROLL _Pragma("unroll")
#define MELGRAD_NO_UNROLL _Pragma("unroll 1")

// The module exports the struct as melgrad_<operation>; kernels/dispatch.h looks it up.
#define MELGRAD_EXPORT_FUNCTIONS(Functions, operation, ...)                                     \
  extern "C" {                                                                                  \
  extern __attribute__((visibility("default"))) const ::melgrad::Functions melgrad_##operation; \
  const ::melgrad::Functions melgrad_##operation{__VA_ARGS__};                                  \
  }

#else

#include "kernels/simt/language.h"
#define MELGRAD_DEVICE_NAMESPACE simt
#define MELGRAD_UNROLL
#define MELGRAD_NO_UNROLL

// kernels/<operation>.cpp finds the struct at link time.
#define MELGRAD_EXPORT_FUNCTIONS(Functions, operation, ...) \
  extern const ::melgrad::Functions operation##_functions;  \
  const ::melgrad::Functions operation##_functions{__VA_ARGS__};

#endif

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

// How many blocks of `size` cover `count` elements, as a grid dimension.
inline unsigned blocks_for(int64_t count, int64_t size) {
  const int64_t blocks = (count + size - 1) / size;
  require(blocks <= 0x7fffffff, "a kernel launch of {} blocks is too large", blocks);
  return static_cast<unsigned>(blocks);
}

// The same for a kernel whose threads stride over what is left.
inline unsigned striding_blocks(int64_t count, int64_t size) {
  return static_cast<unsigned>(std::min((count + size - 1) / size, max_striding_blocks));
}

// Whether float4 accesses may start at these addresses.
template <class... Views>
bool aligned_for_float4(const Views&... views) {
  return ((reinterpret_cast<uintptr_t>(views.data) % 16 == 0) && ...);
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
