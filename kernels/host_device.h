// Functions that host code and CUDA kernels share: the formula of an activation or a generator is written once.
#pragma once

#if defined(__CUDACC__)
#define MELGRAD_HOST_DEVICE __host__ __device__
#else
#define MELGRAD_HOST_DEVICE
#endif
