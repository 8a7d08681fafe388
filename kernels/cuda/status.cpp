// Whether this machine has a GPU that the module can use; kernels/devices.cpp asks.
#include <cuda_runtime.h>
#include <fmt/format.h>

#include <string>

namespace melgrad::cuda {
namespace {

std::string version_text(int version) {  // 13020 → "13.2"
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

// Empty if the first GPU can be used. `name` becomes its name.
std::string find_problem(std::string& name) {
  int driver = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) return "no NVIDIA driver";
  if (driver / 1000 < CUDART_VERSION / 1000)
    return fmt::format("the NVIDIA driver is too old: it supports CUDA {}, this build needs {}", version_text(driver),
                       version_text(CUDART_VERSION));
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0)) return "no GPU";
  if (status != cudaSuccess) return fmt::format("the NVIDIA driver says: {}", cudaGetErrorString(status));
  cudaDeviceProp properties;
  if (const cudaError_t result = cudaGetDeviceProperties(&properties, 0); result != cudaSuccess)
    return fmt::format("the NVIDIA driver says: {}", cudaGetErrorString(result));
  name = properties.name;
  if (properties.major < 8)
    return fmt::format("{} has compute capability {}.{}, this build needs 8.0", name, properties.major,
                       properties.minor);
  return "";
}

}  // namespace
}  // namespace melgrad::cuda

// Null if a GPU is ready, else one line that says why not. `name` takes the GPU's name.
extern "C" __attribute__((visibility("default"))) const char* melgrad_cuda_status(char* name, int size) {
  static std::string chip;
  static const std::string problem = melgrad::cuda::find_problem(chip);
  if (size > 0) *fmt::format_to_n(name, static_cast<std::size_t>(size) - 1, "{}", chip).out = '\0';
  return problem.empty() ? nullptr : problem.c_str();
}
