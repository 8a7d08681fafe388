// The stand-in headers of kernels/simt/libraries against NVIDIA's: every function's type, every enumerator's value and
// every structure's layout. Nothing here runs. Compiled where the CUDA toolkit is found.
//
// Types are compared by their names, less the stand-ins' namespace. A macro that both define otherwise is an error of the
// preprocessor.
#include <cublas_v2.h>
#include <cufft.h>

#include <cstddef>
#include <string_view>

#if __has_include(<cudnn.h>)
#include <cudnn.h>
#define MELGRAD_HAS_CUDNN 1
#endif

#include "kernels/simt/libraries/cublas_v2.h"
#include "kernels/simt/libraries/cufft.h"
#ifdef MELGRAD_HAS_CUDNN
#include "kernels/simt/libraries/cudnn.h"
#endif

namespace melgrad::test {
namespace {

template <class T>
constexpr std::string_view type_name() {
  return __PRETTY_FUNCTION__;
}

// Whether the names are equal once the stand-ins' namespace is left out.
constexpr bool equal_names(std::string_view real, std::string_view stand_in) {
  constexpr std::string_view space = "melgrad::simt::";
  while (!stand_in.empty()) {
    if (stand_in.starts_with(space)) {
      stand_in.remove_prefix(space.size());
    } else {
      if (real.empty() || real[0] != stand_in[0]) return false;
      real.remove_prefix(1);
      stand_in.remove_prefix(1);
    }
  }
  return real.empty();
}

template <class Real, class StandIn>
constexpr bool same_type = equal_names(type_name<Real>(), type_name<StandIn>());

static_assert(same_type<::cublasHandle_t, simt::cublasHandle_t>);
static_assert(!same_type<::cublasHandle_t, simt::cufftHandle>);
static_assert(!same_type<::cublasHandle_t*, simt::cublasHandle_t>);

#define CHECK_FUNCTION(name) static_assert(same_type<decltype(&::name), decltype(&simt::name)>)
#define CHECK_VALUE(name)                                            \
  static_assert(same_type<decltype(::name), decltype(simt::name)> && \
                static_cast<long>(::name) == static_cast<long>(simt::name))
#define CHECK_TYPE(name) static_assert(same_type<::name, simt::name> && sizeof(::name) == sizeof(simt::name))
#define CHECK_MEMBER(type, member)                                                   \
  static_assert(same_type<decltype(::type::member), decltype(simt::type::member)> && \
                offsetof(::type, member) == offsetof(simt::type, member))

// ---- cuda_types.h

CHECK_TYPE(cudaStream_t);
CHECK_TYPE(cudaDataType);
CHECK_TYPE(cuComplex);
CHECK_MEMBER(cuComplex, x);
CHECK_MEMBER(cuComplex, y);
CHECK_VALUE(CUDA_R_32F);
CHECK_VALUE(CUDA_R_64F);
CHECK_VALUE(CUDA_R_16F);
CHECK_VALUE(CUDA_C_32F);
CHECK_VALUE(CUDA_R_16BF);

// ---- cuBLAS

CHECK_VALUE(CUBLAS_STATUS_SUCCESS);
CHECK_VALUE(CUBLAS_STATUS_NOT_INITIALIZED);
CHECK_VALUE(CUBLAS_STATUS_ALLOC_FAILED);
CHECK_VALUE(CUBLAS_STATUS_INVALID_VALUE);
CHECK_VALUE(CUBLAS_STATUS_ARCH_MISMATCH);
CHECK_VALUE(CUBLAS_STATUS_MAPPING_ERROR);
CHECK_VALUE(CUBLAS_STATUS_EXECUTION_FAILED);
CHECK_VALUE(CUBLAS_STATUS_INTERNAL_ERROR);
CHECK_VALUE(CUBLAS_STATUS_NOT_SUPPORTED);
CHECK_VALUE(CUBLAS_STATUS_LICENSE_ERROR);
CHECK_VALUE(CUBLAS_OP_N);
CHECK_VALUE(CUBLAS_OP_T);
CHECK_VALUE(CUBLAS_OP_C);
CHECK_VALUE(CUBLAS_POINTER_MODE_HOST);
CHECK_VALUE(CUBLAS_POINTER_MODE_DEVICE);
CHECK_VALUE(CUBLAS_ATOMICS_NOT_ALLOWED);
CHECK_VALUE(CUBLAS_ATOMICS_ALLOWED);
CHECK_VALUE(CUBLAS_GEMM_DEFAULT);
CHECK_VALUE(CUBLAS_GEMM_DEFAULT_TENSOR_OP);
CHECK_VALUE(CUBLAS_DEFAULT_MATH);
CHECK_VALUE(CUBLAS_PEDANTIC_MATH);
CHECK_VALUE(CUBLAS_TF32_TENSOR_OP_MATH);
CHECK_VALUE(CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION);
CHECK_VALUE(CUBLAS_COMPUTE_32F);
CHECK_VALUE(CUBLAS_COMPUTE_32F_PEDANTIC);
CHECK_VALUE(CUBLAS_COMPUTE_32F_FAST_16BF);
CHECK_VALUE(CUBLAS_COMPUTE_32F_FAST_TF32);

// Names that cublas_v2.h makes others of: both sides see the same ones.
CHECK_FUNCTION(cublasCreate);
CHECK_FUNCTION(cublasDestroy);
CHECK_FUNCTION(cublasGetVersion);
CHECK_FUNCTION(cublasGetStatusName);
CHECK_FUNCTION(cublasGetStatusString);
CHECK_FUNCTION(cublasSetWorkspace);
CHECK_FUNCTION(cublasSetStream);
CHECK_FUNCTION(cublasGetStream);
CHECK_FUNCTION(cublasGetPointerMode);
CHECK_FUNCTION(cublasSetPointerMode);
CHECK_FUNCTION(cublasGetAtomicsMode);
CHECK_FUNCTION(cublasSetAtomicsMode);
CHECK_FUNCTION(cublasGetMathMode);
CHECK_FUNCTION(cublasSetMathMode);
CHECK_FUNCTION(cublasSgemm);
CHECK_FUNCTION(cublasSgemmStridedBatched);

// NVIDIA's headers overload these two for C++; the casts pick the library's own function.
using GemmEx = cublasStatus_t (*)(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int, const void*,
                                  const void*, cudaDataType, int, const void*, cudaDataType, int, const void*, void*,
                                  cudaDataType, int, cublasComputeType_t, cublasGemmAlgo_t);
using GemmStridedBatchedEx = cublasStatus_t (*)(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int,
                                                const void*, const void*, cudaDataType, int, long long, const void*,
                                                cudaDataType, int, long long, const void*, void*, cudaDataType, int,
                                                long long, int, cublasComputeType_t, cublasGemmAlgo_t);
static_assert(same_type<decltype(static_cast<GemmEx>(&::cublasGemmEx)), decltype(&simt::cublasGemmEx)>);
static_assert(same_type<decltype(static_cast<GemmStridedBatchedEx>(&::cublasGemmStridedBatchedEx)),
                        decltype(&simt::cublasGemmStridedBatchedEx)>);

// ---- cuFFT

CHECK_VALUE(CUFFT_SUCCESS);
CHECK_VALUE(CUFFT_INVALID_PLAN);
CHECK_VALUE(CUFFT_ALLOC_FAILED);
CHECK_VALUE(CUFFT_INVALID_TYPE);
CHECK_VALUE(CUFFT_INVALID_VALUE);
CHECK_VALUE(CUFFT_INTERNAL_ERROR);
CHECK_VALUE(CUFFT_EXEC_FAILED);
CHECK_VALUE(CUFFT_SETUP_FAILED);
CHECK_VALUE(CUFFT_INVALID_SIZE);
CHECK_VALUE(CUFFT_UNALIGNED_DATA);
CHECK_VALUE(CUFFT_INVALID_DEVICE);
CHECK_VALUE(CUFFT_NO_WORKSPACE);
CHECK_VALUE(CUFFT_NOT_IMPLEMENTED);
CHECK_VALUE(CUFFT_NOT_SUPPORTED);
CHECK_VALUE(CUFFT_R2C);
CHECK_VALUE(CUFFT_C2R);
CHECK_VALUE(CUFFT_C2C);
CHECK_TYPE(cufftReal);
CHECK_TYPE(cufftComplex);
CHECK_TYPE(cufftHandle);
CHECK_FUNCTION(cufftPlan1d);
CHECK_FUNCTION(cufftPlanMany);
CHECK_FUNCTION(cufftMakePlan1d);
CHECK_FUNCTION(cufftMakePlanMany);
CHECK_FUNCTION(cufftEstimateMany);
CHECK_FUNCTION(cufftCreate);
CHECK_FUNCTION(cufftDestroy);
CHECK_FUNCTION(cufftGetVersion);
CHECK_FUNCTION(cufftSetStream);
CHECK_FUNCTION(cufftGetSize);
CHECK_FUNCTION(cufftSetAutoAllocation);
CHECK_FUNCTION(cufftSetWorkArea);
CHECK_FUNCTION(cufftExecC2C);
CHECK_FUNCTION(cufftExecR2C);
CHECK_FUNCTION(cufftExecC2R);

// ---- cuDNN
#ifdef MELGRAD_HAS_CUDNN

CHECK_VALUE(CUDNN_STATUS_SUCCESS);
CHECK_VALUE(CUDNN_STATUS_NOT_INITIALIZED);
CHECK_VALUE(CUDNN_STATUS_BAD_PARAM);
CHECK_VALUE(CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
CHECK_VALUE(CUDNN_STATUS_NOT_SUPPORTED);
CHECK_VALUE(CUDNN_STATUS_INTERNAL_ERROR);
CHECK_VALUE(CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED);
CHECK_VALUE(CUDNN_STATUS_EXECUTION_FAILED);
CHECK_VALUE(CUDNN_STATUS_ALLOC_FAILED);
CHECK_VALUE(CUDNN_DATA_FLOAT);
CHECK_VALUE(CUDNN_DATA_DOUBLE);
CHECK_VALUE(CUDNN_DATA_HALF);
CHECK_VALUE(CUDNN_DATA_BFLOAT16);
CHECK_VALUE(CUDNN_DEFAULT_MATH);
CHECK_VALUE(CUDNN_TENSOR_OP_MATH);
CHECK_VALUE(CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION);
CHECK_VALUE(CUDNN_FMA_MATH);
CHECK_VALUE(CUDNN_TENSOR_NCHW);
CHECK_VALUE(CUDNN_TENSOR_NHWC);
CHECK_VALUE(CUDNN_TENSOR_NCHW_VECT_C);
CHECK_VALUE(CUDNN_CONVOLUTION);
CHECK_VALUE(CUDNN_CROSS_CORRELATION);
CHECK_VALUE(CUDNN_NON_DETERMINISTIC);
CHECK_VALUE(CUDNN_DETERMINISTIC);
CHECK_VALUE(CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM);
CHECK_VALUE(CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM);
CHECK_VALUE(CUDNN_CONVOLUTION_FWD_ALGO_GEMM);
CHECK_VALUE(CUDNN_CONVOLUTION_FWD_ALGO_DIRECT);
CHECK_VALUE(CUDNN_CONVOLUTION_FWD_ALGO_FFT);
CHECK_VALUE(CUDNN_CONVOLUTION_FWD_ALGO_FFT_TILING);
CHECK_VALUE(CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD);
CHECK_VALUE(CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD_NONFUSED);
CHECK_VALUE(CUDNN_CONVOLUTION_FWD_ALGO_COUNT);
CHECK_VALUE(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0);
CHECK_VALUE(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1);
CHECK_VALUE(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_FFT);
CHECK_VALUE(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3);
CHECK_VALUE(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD);
CHECK_VALUE(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD_NONFUSED);
CHECK_VALUE(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_FFT_TILING);
CHECK_VALUE(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT);
CHECK_VALUE(CUDNN_CONVOLUTION_BWD_DATA_ALGO_0);
CHECK_VALUE(CUDNN_CONVOLUTION_BWD_DATA_ALGO_1);
CHECK_VALUE(CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT);
CHECK_VALUE(CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT_TILING);
CHECK_VALUE(CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD);
CHECK_VALUE(CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD_NONFUSED);
CHECK_VALUE(CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT);
CHECK_TYPE(cudnnHandle_t);
CHECK_TYPE(cudnnTensorDescriptor_t);
CHECK_TYPE(cudnnFilterDescriptor_t);
CHECK_TYPE(cudnnConvolutionDescriptor_t);

#define CHECK_RESULT(type)         \
  CHECK_TYPE(type);                \
  CHECK_MEMBER(type, algo);        \
  CHECK_MEMBER(type, status);      \
  CHECK_MEMBER(type, time);        \
  CHECK_MEMBER(type, memory);      \
  CHECK_MEMBER(type, determinism); \
  CHECK_MEMBER(type, mathType);    \
  CHECK_MEMBER(type, reserved)
CHECK_RESULT(cudnnConvolutionFwdAlgoPerf_t);
CHECK_RESULT(cudnnConvolutionBwdDataAlgoPerf_t);
CHECK_RESULT(cudnnConvolutionBwdFilterAlgoPerf_t);

CHECK_FUNCTION(cudnnGetVersion);
CHECK_FUNCTION(cudnnGetErrorString);
CHECK_FUNCTION(cudnnGetLastErrorString);
CHECK_FUNCTION(cudnnCreate);
CHECK_FUNCTION(cudnnDestroy);
CHECK_FUNCTION(cudnnSetStream);
CHECK_FUNCTION(cudnnGetStream);
CHECK_FUNCTION(cudnnCreateTensorDescriptor);
CHECK_FUNCTION(cudnnDestroyTensorDescriptor);
CHECK_FUNCTION(cudnnSetTensor4dDescriptor);
CHECK_FUNCTION(cudnnSetTensor4dDescriptorEx);
CHECK_FUNCTION(cudnnGetTensor4dDescriptor);
CHECK_FUNCTION(cudnnSetTensorNdDescriptor);
CHECK_FUNCTION(cudnnGetTensorSizeInBytes);
CHECK_FUNCTION(cudnnCreateFilterDescriptor);
CHECK_FUNCTION(cudnnDestroyFilterDescriptor);
CHECK_FUNCTION(cudnnSetFilter4dDescriptor);
CHECK_FUNCTION(cudnnGetFilter4dDescriptor);
CHECK_FUNCTION(cudnnGetFilterSizeInBytes);
CHECK_FUNCTION(cudnnCreateConvolutionDescriptor);
CHECK_FUNCTION(cudnnDestroyConvolutionDescriptor);
CHECK_FUNCTION(cudnnSetConvolution2dDescriptor);
CHECK_FUNCTION(cudnnGetConvolution2dDescriptor);
CHECK_FUNCTION(cudnnSetConvolutionMathType);
CHECK_FUNCTION(cudnnGetConvolutionMathType);
CHECK_FUNCTION(cudnnSetConvolutionGroupCount);
CHECK_FUNCTION(cudnnGetConvolutionGroupCount);
CHECK_FUNCTION(cudnnGetConvolution2dForwardOutputDim);
CHECK_FUNCTION(cudnnGetConvolutionForwardAlgorithmMaxCount);
CHECK_FUNCTION(cudnnGetConvolutionForwardAlgorithm_v7);
CHECK_FUNCTION(cudnnGetConvolutionForwardWorkspaceSize);
CHECK_FUNCTION(cudnnGetConvolutionBackwardDataAlgorithmMaxCount);
CHECK_FUNCTION(cudnnGetConvolutionBackwardDataAlgorithm_v7);
CHECK_FUNCTION(cudnnGetConvolutionBackwardDataWorkspaceSize);
CHECK_FUNCTION(cudnnGetConvolutionBackwardFilterAlgorithmMaxCount);
CHECK_FUNCTION(cudnnGetConvolutionBackwardFilterAlgorithm_v7);
CHECK_FUNCTION(cudnnGetConvolutionBackwardFilterWorkspaceSize);
CHECK_FUNCTION(cudnnConvolutionForward);
CHECK_FUNCTION(cudnnConvolutionBackwardData);
CHECK_FUNCTION(cudnnConvolutionBackwardFilter);
CHECK_FUNCTION(cudnnConvolutionBackwardBias);

#endif

}  // namespace
}  // namespace melgrad::test
