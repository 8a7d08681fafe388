// launch<kernel>(grid, block, shared_bytes, stream, arguments…): CUDA's kernel<<<grid, block, shared_bytes>>>(…).
#pragma once

#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "kernels/kernel_name.h"
#include "kernels/simt/array_names.h"
#include "kernels/simt/engine.h"
#include "kernels/simt/pointer.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad::simt {

inline constexpr bool libraries_are_real = false;  // cuBLAS, cuDNN, cuFFT are stand-ins

// The elements of a view, to hand to a kernel: global<const float>(x).
template <class T>
Global<T> global(std::conditional_t<std::is_const_v<T>, ConstView, View> view,
                 const std::source_location& where = std::source_location::current()) {
  require(view.device == Device::simt, "simt: a kernel was given memory of {}", name_of(view.device));
  name_array(view.data, view.bytes(), where);
  return {view.template as<std::remove_const_t<T>>(), view.numel()};
}

// A workspace as elements of any type.
template <class T>
Global<T> global(const Buffer& buffer, const std::source_location& where = std::source_location::current()) {
  name_array(buffer.data(), buffer.bytes(), where);
  return {static_cast<T*>(buffer.data()), buffer.bytes() / static_cast<int64_t>(sizeof(T))};
}

// Values in a workspace of their own.
template <class T>
Buffer upload(Stream& stream, const std::vector<T>& values) {
  static_assert(std::is_trivially_copyable_v<T>);
  const auto bytes = values.size() * sizeof(T);
  Buffer buffer = stream.workspace(static_cast<int64_t>(bytes));
  std::memcpy(buffer.data(), values.data(), bytes);
  return buffer;
}

// Blocks of a kernel whose threads stride over their array: so few that they do so in tests of small arrays.
inline constexpr int64_t max_striding_blocks = 3;

template <auto kernel, class... Parameters>
void run_kernel(const void* arguments) {
  std::apply(kernel, *static_cast<const std::tuple<Parameters...>*>(arguments));
}

template <auto kernel, class... Parameters>
void launch_with(void (*)(Parameters...), LaunchRequest request, ThreadPool& pool,
                 std::type_identity_t<Parameters>... arguments) {
  const std::tuple<Parameters...> stored(std::move(arguments)...);
  request.run_thread = run_kernel<kernel, Parameters...>;
  request.arguments = &stored;
  run(request, pool);
}

// Returns when the kernel is done. The kernel is a template argument, so that errors know its name.
template <auto kernel, class... Arguments>
void launch(dim3 grid, dim3 block, int64_t shared_bytes, Stream& stream, Arguments... arguments) {
  static const std::string name = kernel_name(std::source_location::current().function_name());
  const LaunchRequest request{.kernel = name,
                              .grid = grid,
                              .block = block,
                              .shared_bytes = shared_bytes,
                              .schedule = current_schedule(),
                              .recording = Recording::current(),
                              .records = records_accesses};
  launch_with<kernel>(kernel, request, stream.threads(), arguments...);
}

}  // namespace melgrad::simt
