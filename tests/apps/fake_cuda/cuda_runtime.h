// The CUDA runtime of a machine that the environment describes, for the parts of the CUDA module that ask what is there
// (kernels/cuda/status.cpp, library.cpp). MELGRAD_FAKE_DRIVER: the driver's version, 13000 for 13.0. MELGRAD_FAKE_GPU: its
// compute capability, 90 for 9.0. MELGRAD_FAKE_ERROR: what asking for GPUs ends with.
#pragma once

#include <cstdio>
#include <cstdlib>

#define CUDART_VERSION 13000

using cudaStream_t = struct FakeStream*;
enum cudaError_t { cudaSuccess = 0, cudaErrorNoDevice = 100, cudaErrorUnknown = 999 };
struct cudaDeviceProp {
  char name[256];
  int major, minor;
};

inline int fake_number(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? 0 : std::atoi(value);
}

inline const char* cudaGetErrorString(cudaError_t) {
  return std::getenv("MELGRAD_FAKE_ERROR");
}
inline cudaError_t cudaDriverGetVersion(int* version) {
  *version = fake_number("MELGRAD_FAKE_DRIVER");
  return cudaSuccess;
}
inline cudaError_t cudaGetDeviceCount(int* count) {
  *count = fake_number("MELGRAD_FAKE_GPU") > 0;
  if (std::getenv("MELGRAD_FAKE_ERROR") != nullptr) return cudaErrorUnknown;
  return *count > 0 ? cudaSuccess : cudaErrorNoDevice;
}
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  const int capability = fake_number("MELGRAD_FAKE_GPU");
  std::snprintf(properties->name, sizeof properties->name, "Fake GPU");
  properties->major = capability / 10;
  properties->minor = capability % 10;
  return cudaSuccess;
}
