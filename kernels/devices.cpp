#include <dlfcn.h>

#include <cstdlib>
#include <fstream>

#include "kernels/device.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace {

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

// The CUDA module lies beside the program; it is opened once, so that a machine without CUDA starts all the same.
struct CudaModule {
  void* handle = nullptr;
  std::string name;
  std::string reason;

  CudaModule() {
    handle = dlopen("libmelgrad_cuda.so", RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      reason = "the module libmelgrad_cuda.so is not there or cannot be loaded";
      return;
    }
    // const char* melgrad_cuda_status(char* name, int size): null if a GPU is ready, else the reason.
    using Status = const char* (*)(char*, int);
    auto status = reinterpret_cast<Status>(dlsym(handle, "melgrad_cuda_status"));
    char chip[256] = "";
    const char* problem = status != nullptr ? status(chip, sizeof chip) : "the module is of another version";
    name = chip;
    if (problem != nullptr) reason = problem;
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

const void* cuda_symbol(const std::string& symbol) {
  require(cuda_module().reason.empty(), "device cuda: {}", cuda_module().reason);
  const void* address = dlsym(cuda_module().handle, symbol.c_str());
  require(address != nullptr, "device cuda: {} is not implemented", symbol);
  return address;
}

}  // namespace melgrad
