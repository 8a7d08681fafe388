// The three devices, and what this machine has of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/enum_names.h"

namespace melgrad {

enum class Device : uint8_t {
  cpu,   // SIMD code on the host's threads
  simt,  // the CUDA kernels, run by a host engine that executes each CUDA thread as a fiber
  cuda,  // the CUDA kernels, on a GPU
};

template <>
inline constexpr EnumNames<Device, 3> enum_names<Device>{
    {{Device::cpu, "cpu"}, {Device::simt, "simt"}, {Device::cuda, "cuda"}}};

struct DeviceStatus {
  Device device;
  bool available;
  std::string name;    // the processor's or chip's name
  std::string reason;  // one line: why it is not available; empty when it is
};

// All devices in the order of the enumeration, available or not.
std::vector<DeviceStatus> devices();

// The ones that can run here and now.
std::vector<Device> available_devices();

}  // namespace melgrad
