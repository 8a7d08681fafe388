// Matrix products by their definition, summed in f64.
#include "kernels/simt/libraries/cublas_v2.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "kernels/bf16.h"
#include "kernels/simt/libraries/live_objects.h"
#include "kernels/simt/libraries/operands.h"
#include "kernels/simt/libraries/tf32.h"

namespace melgrad::simt {

struct cublasContext {
  cudaStream_t stream = nullptr;
  void* workspace = nullptr;
  size_t workspace_bytes = 0;
  cublasPointerMode_t pointer_mode = CUBLAS_POINTER_MODE_HOST;
  cublasAtomicsMode_t atomics_mode = CUBLAS_ATOMICS_NOT_ALLOWED;
  cublasMath_t math_mode = CUBLAS_DEFAULT_MATH;
};

namespace {

LiveObjects<cublasContext>& contexts() {
  static LiveObjects<cublasContext>& all = *new LiveObjects<cublasContext>("cublasHandle_t");
  return all;
}

// ---- a product, checked and computed

// One of A, B and C: `rows` × `columns` elements as they are stored, for each product of the batch.
struct Matrix {
  const char* name;
  const void* data;
  cudaDataType type;
  int64_t rows, columns, leading, stride;

  int64_t element_size() const { return type == CUDA_R_16BF ? 2 : 4; }
  int64_t index(int64_t batch, int64_t row, int64_t column) const { return batch * stride + column * leading + row; }
  float load(int64_t i) const {
    return type == CUDA_R_16BF ? float_from_bf16(static_cast<const uint16_t*>(data)[i])
                               : static_cast<const float*>(data)[i];
  }
  // Bytes before the first and past the last element that a batch touches.
  int64_t first_byte(int64_t batches) const { return std::min<int64_t>(0, (batches - 1) * stride) * element_size(); }
  int64_t last_byte(int64_t batches) const {
    if (rows == 0 || columns == 0) return first_byte(batches);
    return (std::max<int64_t>(0, (batches - 1) * stride) + index(0, rows - 1, columns - 1) + 1) * element_size();
  }
};

// op(matrix) is rows × columns.
Matrix stored(const char* name, const void* data, cudaDataType type, cublasOperation_t operation, int rows, int columns,
              int leading, long long stride = 0) {
  if (operation != CUBLAS_OP_N) std::swap(rows, columns);
  return {name, data, type, rows, columns, leading, stride};
}

struct Product {
  const char* call;
  cublasHandle_t handle;
  cublasOperation_t transa, transb;
  int m, n, k;
  const void *alpha, *beta;
  Matrix a, b, c;
  int batches = 1;
  cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
  cublasGemmAlgo_t algo = CUBLAS_GEMM_DEFAULT;
};

bool valid(cublasOperation_t operation) {
  return operation == CUBLAS_OP_N || operation == CUBLAS_OP_T || operation == CUBLAS_OP_C;
}

// The combinations of types that the documentation lists for these compute types, f16 and f64 aside.
bool supported(const Product& p) {
  const bool known = p.compute == CUBLAS_COMPUTE_32F || p.compute == CUBLAS_COMPUTE_32F_PEDANTIC ||
                     p.compute == CUBLAS_COMPUTE_32F_FAST_16BF || p.compute == CUBLAS_COMPUTE_32F_FAST_TF32;
  if (!known || p.a.type != p.b.type) return false;
  if (p.a.type == CUDA_R_32F) return p.c.type == CUDA_R_32F;
  const bool fast = p.compute == CUBLAS_COMPUTE_32F_FAST_16BF || p.compute == CUBLAS_COMPUTE_32F_FAST_TF32;
  return p.a.type == CUDA_R_16BF && !fast && (p.c.type == CUDA_R_16BF || p.c.type == CUDA_R_32F);
}

// Documentation, cublas<t>gemm(): "lda >= max(1, m) if transa == CUBLAS_OP_N", k otherwise, and so on.
bool leading_dimensions_fit(const Product& p) {
  const auto fits = [](const Matrix& matrix) { return matrix.leading >= std::max<int64_t>(1, matrix.rows); };
  return fits(p.a) && fits(p.b) && fits(p.c);
}

// Whether the matrices C of the batch, which are written at the same time, share no element.
bool disjoint(const Product& p) {
  for (int64_t apart = 1; apart < p.batches; ++apart) {
    const int64_t distance = apart * std::abs(p.c.stride), columns = distance / p.c.leading;
    for (int64_t column : {columns, columns + 1})
      if (column < p.n && std::abs(distance - column * p.c.leading) < p.m) return false;
  }
  return true;
}

float scalar(Operands& operands, const Product& p, const char* name, const void* address) {
  if (p.handle->pointer_mode == CUBLAS_POINTER_MODE_HOST)
    operands.host(name, address);
  else
    operands.read(name, address, 0, sizeof(float));
  return *static_cast<const float*>(address);
}

// How an operand of f32 may be rounded on its way to the multiplier.
float rounded(const Product& p, float value) {
  if (p.a.type != CUDA_R_32F || p.compute == CUBLAS_COMPUTE_32F_PEDANTIC) return value;
  if (p.compute == CUBLAS_COMPUTE_32F_FAST_16BF) return float_from_bf16(bf16_bits(value));
  const int mode = p.handle->math_mode & 0xf;
  if (p.compute == CUBLAS_COMPUTE_32F_FAST_TF32 || mode == CUBLAS_TF32_TENSOR_OP_MATH) return round_to_tf32(value);
  return value;
}

void store(const Matrix& c, int64_t i, double value) {
  const auto single = static_cast<float>(value);
  void* data = const_cast<void*>(c.data);
  if (c.type == CUDA_R_16BF)
    static_cast<uint16_t*>(data)[i] = bf16_bits(single);
  else
    static_cast<float*>(data)[i] = single;
}

void multiply(const Product& p, double alpha, double beta) {
  for (int64_t batch = 0; batch < p.batches; ++batch) {
    for (int64_t column = 0; column < p.n; ++column) {
      for (int64_t row = 0; row < p.m; ++row) {
        double sum = 0;
        for (int64_t i = 0; i < p.k; ++i) {
          const int64_t at_a = p.transa == CUBLAS_OP_N ? p.a.index(batch, row, i) : p.a.index(batch, i, row);
          const int64_t at_b = p.transb == CUBLAS_OP_N ? p.b.index(batch, i, column) : p.b.index(batch, column, i);
          sum += double{rounded(p, p.a.load(at_a))} * rounded(p, p.b.load(at_b));
        }
        const int64_t at_c = p.c.index(batch, row, column);
        store(p.c, at_c, alpha * sum + (beta == 0 ? 0.0 : beta * p.c.load(at_c)));
      }
    }
  }
}

cublasStatus_t run(const Product& p) {
  if (p.handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  contexts().check(p.handle);
  if (p.m < 0 || p.n < 0 || p.k < 0 || p.batches < 0 || !valid(p.transa) || !valid(p.transb) ||
      !leading_dimensions_fit(p) || p.alpha == nullptr || p.beta == nullptr || p.c.data == nullptr)
    return CUBLAS_STATUS_INVALID_VALUE;
  if (p.algo != CUBLAS_GEMM_DEFAULT && p.algo != CUBLAS_GEMM_DEFAULT_TENSOR_OP) return CUBLAS_STATUS_INVALID_VALUE;
  if (!supported(p)) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (p.m == 0 || p.n == 0 || p.batches == 0) return CUBLAS_STATUS_SUCCESS;
  require(disjoint(p), "simt: {}: the matrices C of the batch overlap: strideC is {}", p.call, p.c.stride);

  Operands operands(p.call, p.handle->stream);
  const float alpha = scalar(operands, p, "alpha", p.alpha), beta = scalar(operands, p, "beta", p.beta);
  for (const Matrix* matrix : {&p.a, &p.b}) {
    operands.aligned(matrix->name, matrix->data, matrix->element_size());
    operands.read(matrix->name, matrix->data, matrix->first_byte(p.batches), matrix->last_byte(p.batches));
  }
  operands.aligned("C", p.c.data, p.c.element_size());
  operands.write("C", const_cast<void*>(p.c.data), p.c.first_byte(p.batches), p.c.last_byte(p.batches));
  operands.scratch("the workspace", p.handle->workspace, static_cast<int64_t>(p.handle->workspace_bytes));
  multiply(p, alpha, beta);
  return CUBLAS_STATUS_SUCCESS;
}

}  // namespace

// ---- the library

std::size_t live_cublas_objects() {
  return contexts().count();
}

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  if (handle == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  *handle = contexts().create();
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  contexts().destroy(handle);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetVersion_v2(cublasHandle_t, int* version) {
  if (version == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  *version = 130000;
  return CUBLAS_STATUS_SUCCESS;
}

const char* cublasGetStatusName(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED:
      return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_ALLOC_FAILED:
      return "CUBLAS_STATUS_ALLOC_FAILED";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_ARCH_MISMATCH:
      return "CUBLAS_STATUS_ARCH_MISMATCH";
    case CUBLAS_STATUS_MAPPING_ERROR:
      return "CUBLAS_STATUS_MAPPING_ERROR";
    case CUBLAS_STATUS_EXECUTION_FAILED:
      return "CUBLAS_STATUS_EXECUTION_FAILED";
    case CUBLAS_STATUS_INTERNAL_ERROR:
      return "CUBLAS_STATUS_INTERNAL_ERROR";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "CUBLAS_STATUS_NOT_SUPPORTED";
    case CUBLAS_STATUS_LICENSE_ERROR:
      return "CUBLAS_STATUS_LICENSE_ERROR";
  }
  return "unrecognized status";
}

const char* cublasGetStatusString(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "success";
    case CUBLAS_STATUS_NOT_INITIALIZED:
      return "the library was not initialized";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "an unsupported value or parameter was passed to the function";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "the requested functionality is not supported";
    default:
      return cublasGetStatusName(status);
  }
}

// ---- state

namespace {

template <class T>
cublasStatus_t get(cublasHandle_t handle, T cublasContext::*member, T* value) {
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  contexts().check(handle);
  if (value == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  *value = handle->*member;
  return CUBLAS_STATUS_SUCCESS;
}

template <class T>
cublasStatus_t set(cublasHandle_t handle, T cublasContext::*member, T value, bool valid_value) {
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  contexts().check(handle);
  if (!valid_value) return CUBLAS_STATUS_INVALID_VALUE;
  handle->*member = value;
  return CUBLAS_STATUS_SUCCESS;
}

}  // namespace

cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, size_t workspaceSizeInBytes) {
  const bool aligned = reinterpret_cast<uintptr_t>(workspace) % 256 == 0;
  const cublasStatus_t status = set(handle, &cublasContext::workspace, workspace, aligned);
  if (status == CUBLAS_STATUS_SUCCESS) handle->workspace_bytes = workspaceSizeInBytes;
  return status;
}

cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t streamId) {
  const cublasStatus_t status = set(handle, &cublasContext::stream, streamId, true);
  if (status == CUBLAS_STATUS_SUCCESS) handle->workspace = nullptr, handle->workspace_bytes = 0;
  return status;
}

cublasStatus_t cublasGetStream_v2(cublasHandle_t handle, cudaStream_t* streamId) {
  return get(handle, &cublasContext::stream, streamId);
}

cublasStatus_t cublasGetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t* mode) {
  return get(handle, &cublasContext::pointer_mode, mode);
}

cublasStatus_t cublasSetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t mode) {
  return set(handle, &cublasContext::pointer_mode, mode,
             mode == CUBLAS_POINTER_MODE_HOST || mode == CUBLAS_POINTER_MODE_DEVICE);
}

cublasStatus_t cublasGetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t* mode) {
  return get(handle, &cublasContext::atomics_mode, mode);
}

cublasStatus_t cublasSetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t mode) {
  return set(handle, &cublasContext::atomics_mode, mode,
             mode == CUBLAS_ATOMICS_NOT_ALLOWED || mode == CUBLAS_ATOMICS_ALLOWED);
}

cublasStatus_t cublasGetMathMode(cublasHandle_t handle, cublasMath_t* mode) {
  return get(handle, &cublasContext::math_mode, mode);
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  const int kind = mode & ~CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
  return set(handle, &cublasContext::math_mode, mode,
             kind == CUBLAS_DEFAULT_MATH || kind == CUBLAS_PEDANTIC_MATH || kind == CUBLAS_TF32_TENSOR_OP_MATH);
}

// ---- products

cublasStatus_t cublasSgemm_v2(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, int m, int n,
                              int k, const float* alpha, const float* A, int lda, const float* B, int ldb,
                              const float* beta, float* C, int ldc) {
  return run({.call = "cublasSgemm",
              .handle = handle,
              .transa = transa,
              .transb = transb,
              .m = m,
              .n = n,
              .k = k,
              .alpha = alpha,
              .beta = beta,
              .a = stored("A", A, CUDA_R_32F, transa, m, k, lda),
              .b = stored("B", B, CUDA_R_32F, transb, k, n, ldb),
              .c = stored("C", C, CUDA_R_32F, CUBLAS_OP_N, m, n, ldc)});
}

cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, int m, int n,
                            int k, const void* alpha, const void* A, cudaDataType Atype, int lda, const void* B,
                            cudaDataType Btype, int ldb, const void* beta, void* C, cudaDataType Ctype, int ldc,
                            cublasComputeType_t computeType, cublasGemmAlgo_t algo) {
  return run({.call = "cublasGemmEx",
              .handle = handle,
              .transa = transa,
              .transb = transb,
              .m = m,
              .n = n,
              .k = k,
              .alpha = alpha,
              .beta = beta,
              .a = stored("A", A, Atype, transa, m, k, lda),
              .b = stored("B", B, Btype, transb, k, n, ldb),
              .c = stored("C", C, Ctype, CUBLAS_OP_N, m, n, ldc),
              .compute = computeType,
              .algo = algo});
}

cublasStatus_t cublasSgemmStridedBatched(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb,
                                         int m, int n, int k, const float* alpha, const float* A, int lda,
                                         long long int strideA, const float* B, int ldb, long long int strideB,
                                         const float* beta, float* C, int ldc, long long int strideC, int batchCount) {
  return run({.call = "cublasSgemmStridedBatched",
              .handle = handle,
              .transa = transa,
              .transb = transb,
              .m = m,
              .n = n,
              .k = k,
              .alpha = alpha,
              .beta = beta,
              .a = stored("A", A, CUDA_R_32F, transa, m, k, lda, strideA),
              .b = stored("B", B, CUDA_R_32F, transb, k, n, ldb, strideB),
              .c = stored("C", C, CUDA_R_32F, CUBLAS_OP_N, m, n, ldc, strideC),
              .batches = batchCount});
}

cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb,
                                          int m, int n, int k, const void* alpha, const void* A, cudaDataType Atype,
                                          int lda, long long int strideA, const void* B, cudaDataType Btype, int ldb,
                                          long long int strideB, const void* beta, void* C, cudaDataType Ctype, int ldc,
                                          long long int strideC, int batchCount, cublasComputeType_t computeType,
                                          cublasGemmAlgo_t algo) {
  return run({.call = "cublasGemmStridedBatchedEx",
              .handle = handle,
              .transa = transa,
              .transb = transb,
              .m = m,
              .n = n,
              .k = k,
              .alpha = alpha,
              .beta = beta,
              .a = stored("A", A, Atype, transa, m, k, lda, strideA),
              .b = stored("B", B, Btype, transb, k, n, ldb, strideB),
              .c = stored("C", C, Ctype, CUBLAS_OP_N, m, n, ldc, strideC),
              .batches = batchCount,
              .compute = computeType,
              .algo = algo});
}

}  // namespace melgrad::simt
