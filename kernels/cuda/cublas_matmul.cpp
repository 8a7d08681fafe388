#include "kernels/cuda/cublas_matmul.h"

#include <cublas_v2.h>

#include "kernels/cuda/library.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

MELGRAD_LIBRARY(cublas)

void check(cublasStatus_t status, const char* call) {
  require(status == CUBLAS_STATUS_SUCCESS, "{}: {}", call, MELGRAD_CALL(cublas, cublasGetStatusString)(status));
}

// One for the life of the program: at its end the driver may be gone before it could be destroyed.
cublasHandle_t handle() {
  static const cublasHandle_t created = [] {
    cublasHandle_t made = nullptr;
    check(MELGRAD_CALL(cublas, cublasCreate)(&made), "cublasCreate");
    check(MELGRAD_CALL(cublas, cublasSetStream)(made, main_stream()), "cublasSetStream");
    // At least the precision that was asked for, so no TF32; CUBLAS_PEDANTIC_MATH is for numerical studies, and slower.
    check(MELGRAD_CALL(cublas, cublasSetMathMode)(made, CUBLAS_DEFAULT_MATH), "cublasSetMathMode");
    check(MELGRAD_CALL(cublas, cublasSetAtomicsMode)(made, CUBLAS_ATOMICS_NOT_ALLOWED), "cublasSetAtomicsMode");
    return made;
  }();
  return created;
}

}  // namespace

// cuBLAS's matrices are column-major: it sees ours transposed, and is asked for cᵀ = op(b)ᵀ op(a)ᵀ.
void cublas_matmul(const MatmulProblem& p, const float* a, const float* b, float* c) {
  const char* call = "cublasSgemm";
  const float one = 1, zero = 0;
  const auto operation = [](bool transpose) { return transpose ? CUBLAS_OP_T : CUBLAS_OP_N; };
  const int m = as_int(call, p.m), n = as_int(call, p.n), k = as_int(call, p.k);
  check(MELGRAD_CALL(cublas, cublasSgemm)(handle(), operation(p.transpose_b), operation(p.transpose_a), n, m, k, &one,
                                          b, p.transpose_b ? k : n, a, p.transpose_a ? m : k, &zero, c, n),
        call);
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
