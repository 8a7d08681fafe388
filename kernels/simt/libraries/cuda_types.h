// What the headers of the CUDA libraries share: streams, element types, complex numbers.
//
// The headers in this folder stand for NVIDIA's where the host compiler builds the simt device: <cublas_v2.h>,
// <cudnn.h>, <cufft.h>. They have NVIDIA's names and values, in namespace melgrad::simt, so that one program can hold
// these and the real libraries; tests/kernels/library_signatures.cpp compares the two. docs/simt.md says what the
// stand-ins prove.
#pragma once

#include "kernels/simt/vector_types.h"

namespace melgrad::simt {

struct CUstream_st {};
typedef CUstream_st* cudaStream_t;

// Stands for the stream that the cuda device has its kernels and copies on. The default stream is another, as it is there:
// a library that was not told of this one would run beside them, so a stand-in refuses to.
inline cudaStream_t main_stream() {
  static CUstream_st stream;
  return &stream;
}

typedef enum cudaDataType_t {
  CUDA_R_32F = 0,
  CUDA_R_64F = 1,
  CUDA_R_16F = 2,
  CUDA_C_32F = 4,
  CUDA_R_16BF = 14,
} cudaDataType;

typedef float2 cuFloatComplex;
typedef cuFloatComplex cuComplex;

}  // namespace melgrad::simt
