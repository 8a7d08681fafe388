// CUDA's language for the host compiler: what a .cu file needs to compile as C++ against the simt engine.
#pragma once

#include <cmath>

#include "kernels/simt/engine.h"
#include "kernels/simt/launch.h"
#include "kernels/simt/pointer.h"
#include "kernels/simt/shared_array.h"
#include "kernels/simt/vector_types.h"
#include "kernels/simt/warp.h"

// Where accesses are recorded, their places in the code are those of the kernel itself: everything is inlined in it.
#if defined(MELGRAD_SIMT_RECORD) && defined(__OPTIMIZE__)
#define __global__ __attribute__((flatten))
#else
#define __global__
#endif
// A __shared__ variable is a SharedArray, whose constructor finds the block's memory.
#define __device__
#define __host__
#define __shared__
#define __forceinline__ inline
#define __launch_bounds__(...)
