#include <dlfcn.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "kernels/device.h"
#include "kernels/dispatch.h"
#include "kernels/libraries.h"

namespace melgrad {
namespace {

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

constexpr const char* module_file = "libmelgrad_cuda.so";

// Where the CUDA module may be: beside the program, above it (in a build tree) or in lib/ beside its folder
// (installed).
std::vector<std::filesystem::path> module_candidates() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const std::filesystem::path folder = program.parent_path();
  return {folder / module_file, folder.parent_path() / module_file, folder.parent_path() / "lib" / module_file};
}

// The CUDA module is opened at run time, once, so that a machine without CUDA starts all the same.
struct CudaModule {
  void* handle = nullptr;
  std::string name;    // the GPU's
  std::string reason;  // why it cannot be used; empty if it can

  CudaModule() {
    open();
    if (handle == nullptr) return;
    // const char* melgrad_cuda_status(char* name, int size): null if a GPU is ready, else the reason.
    using Status = const char* (*)(char*, int);
    const auto status = reinterpret_cast<Status>(dlsym(handle, "melgrad_cuda_status"));
    if (status == nullptr) {
      reason = fmt::format("{} is of another version of melgrad", module_file);
      return;
    }
    char chip[256] = "";
    if (const char* problem = status(chip, sizeof chip)) reason = problem;
    name = chip;
  }

 private:
  void open() {
    for (const std::filesystem::path& candidate : module_candidates()) {
      std::error_code error;
      if (!std::filesystem::exists(candidate, error)) continue;
      handle = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
      if (handle == nullptr) reason = fmt::format("the CUDA module cannot be loaded: {}", dlerror());
      return;
    }
    reason = fmt::format("this build has no CUDA module ({} is not beside the program); it needs nvcc", module_file);
  }
};

const CudaModule& cuda_module() {
  static const CudaModule module;
  return module;
}

}  // namespace

std::vector<DeviceStatus> devices() {
  return {{Device::cpu, true, cpu_name(), ""},
          {Device::simt, true, "CUDA kernels on host fibers", ""},
          {Device::cuda, cuda_module().reason.empty(), cuda_module().name, cuda_module().reason}};
}

std::vector<Device> available_devices() {
  std::vector<Device> available;
  for (const DeviceStatus& status : devices())
    if (status.available) available.push_back(status.device);
  return available;
}

std::vector<LibraryStatus> cuda_libraries() {
  std::vector<LibraryStatus> all;
  if (cuda_module().handle == nullptr) return all;
  using Ask = void (*)(std::vector<LibraryStatus>&);
  if (const auto ask = reinterpret_cast<Ask>(dlsym(cuda_module().handle, "melgrad_cuda_libraries"))) ask(all);
  return all;
}

const void* cuda_symbol(const std::string& symbol) {
  require(cuda_module().reason.empty(), "device cuda: {}", cuda_module().reason);
  const void* address = dlsym(cuda_module().handle, symbol.c_str());
  require(address != nullptr, "device cuda: {} is not implemented", symbol);
  return address;
}

}  // namespace melgrad
