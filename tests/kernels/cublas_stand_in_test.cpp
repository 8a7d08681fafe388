// The stand-in of cuBLAS against the cuBLAS Library documentation, whose sentences are quoted, and plain loops in f64.
#include "kernels/simt/libraries/cublas_v2.h"

#include <doctest/doctest.h>

#include <cmath>

#include "kernels/bf16.h"
#include "kernels/simt/libraries/live_objects.h"
#include "tests/kernels/device_array.h"

namespace melgrad::simt {
namespace {

// A handle for the length of a test; the library's are all given back.
struct Handle {
  Handle() {
    CHECK(cublasCreate(&value) == CUBLAS_STATUS_SUCCESS);
    CHECK(cublasSetStream(value, main_stream()) == CUBLAS_STATUS_SUCCESS);
  }
  ~Handle() { CHECK(cublasDestroy(value) == CUBLAS_STATUS_SUCCESS); }
  operator cublasHandle_t() const { return value; }
  cublasHandle_t value = nullptr;
};

constexpr float one = 1.0f, zero = 0.0f;

// Element (row, column) of op(matrix).
double element(const std::vector<float>& matrix, cublasOperation_t operation, int leading, int row, int column) {
  if (operation != CUBLAS_OP_N) std::swap(row, column);
  return matrix[static_cast<std::size_t>(column * leading + row)];
}

// "For maximum compatibility with existing Fortran environments, the cuBLAS library uses column-major storage, and
// 1-based indexing." (Introduction, "Data Layout")
TEST_CASE("stand-in of cuBLAS: matrices are column-major") {
  const Handle handle;
  const DeviceArray<float> a({1, 2, 3, 4, 5, 6});     // (1 3 5; 2 4 6)
  const DeviceArray<float> b({1, 10, 100, 0, 0, 1});  // (1 0; 10 0; 100 1)
  const DeviceArray<float> c(4);
  CHECK(cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 3, &one, a.data(), 2, b.data(), 3, &zero, c.data(), 2) ==
        CUBLAS_STATUS_SUCCESS);
  CHECK(c.values() == std::vector<float>{531, 642, 5, 6});
}

// "This function performs the matrix-matrix multiplication C = α op(A) op(B) + β C where α and β are scalars, and A, B
// and C are matrices stored in column-major format with dimensions op(A) m × k, op(B) k × n and C m × n, respectively."
// "leading dimension of two-dimensional array used to store the matrix A." (cublas<t>gemm())
TEST_CASE("stand-in of cuBLAS: gemm of every transposition, with leading dimensions") {
  const Handle handle;
  const int m = 5, n = 4, k = 7, lda = 9, ldb = 8, ldc = 6;
  const float alpha = 0.5f, beta = -2.0f;
  for (const cublasOperation_t transa : {CUBLAS_OP_N, CUBLAS_OP_T, CUBLAS_OP_C}) {
    for (const cublasOperation_t transb : {CUBLAS_OP_N, CUBLAS_OP_T, CUBLAS_OP_C}) {
      const std::vector<float> a = random_floats(lda * 7, 1), b = random_floats(ldb * 7, 2);
      const std::vector<float> c = random_floats(ldc * n, 3);
      const DeviceArray<float> on_device(c), at(a), bt(b);
      REQUIRE(cublasSgemm(handle, transa, transb, m, n, k, &alpha, at.data(), lda, bt.data(), ldb, &beta,
                          on_device.data(), ldc) == CUBLAS_STATUS_SUCCESS);
      const std::vector<float> result = on_device.values();
      for (int column = 0; column < n; ++column) {
        for (int row = 0; row < ldc; ++row) {
          const auto i = static_cast<std::size_t>(column * ldc + row);
          double expected = c[i];  // rows below m belong to nobody
          if (row < m) {
            double sum = 0;
            for (int inner = 0; inner < k; ++inner)
              sum += element(a, transa, lda, row, inner) * element(b, transb, ldb, inner, column);
            expected = alpha * sum + beta * c[i];
          }
          CHECK(result[i] == static_cast<float>(expected));
        }
      }
    }
  }
}

// "<type> array of dimensions lda x k with lda>=max(1,m) if transa == CUBLAS_OP_N and lda x m with lda>=max(1,k)
// otherwise." "<type> array of dimension ldb x n with ldb>=max(1,k) if transb == CUBLAS_OP_N and ldb x k with
// ldb>=max(1,n) otherwise." "<type> array of dimensions ldc x n with ldc>=max(1,m)." (cublas<t>gemm())
TEST_CASE("stand-in of cuBLAS: leading dimensions that are too small are invalid") {
  const Handle handle;
  const int m = 3, n = 5, k = 7;
  const DeviceArray<float> memory(100, 0.0f), c(100);
  const auto gemm = [&](cublasOperation_t transa, cublasOperation_t transb, int lda, int ldb, int ldc) {
    return cublasSgemm(handle, transa, transb, m, n, k, &one, memory.data(), lda, memory.data(), ldb, &zero, c.data(),
                       ldc);
  };
  for (const bool a : {false, true}) {
    for (const bool b : {false, true}) {
      const cublasOperation_t transa = a ? CUBLAS_OP_T : CUBLAS_OP_N, transb = b ? CUBLAS_OP_T : CUBLAS_OP_N;
      const int lda = a ? k : m, ldb = b ? n : k;
      CHECK(gemm(transa, transb, lda, ldb, m) == CUBLAS_STATUS_SUCCESS);
      CHECK(gemm(transa, transb, lda - 1, ldb, m) == CUBLAS_STATUS_INVALID_VALUE);
      CHECK(gemm(transa, transb, lda, ldb - 1, m) == CUBLAS_STATUS_INVALID_VALUE);
      CHECK(gemm(transa, transb, lda, ldb, m - 1) == CUBLAS_STATUS_INVALID_VALUE);
    }
  }
}

// "CUBLAS_STATUS_NOT_INITIALIZED: the library was not initialized. CUBLAS_STATUS_INVALID_VALUE: If m, n, k < 0 or if
// transa, transb != CUBLAS_OP_N, CUBLAS_OP_C, CUBLAS_OP_T or […] if alpha, beta == NULL or C == NULL if C needs to be
// scaled" (cublas<t>gemm())
TEST_CASE("stand-in of cuBLAS: invalid sizes and handles") {
  const Handle handle;
  const DeviceArray<float> memory(16, 0.0f), c(16);
  const auto gemm = [&](cublasHandle_t with, cublasOperation_t transa, int m, int n, int k) {
    return cublasSgemm(with, transa, CUBLAS_OP_N, m, n, k, &one, memory.data(), 4, memory.data(), 4, &zero, c.data(),
                       4);
  };
  CHECK(gemm(handle, CUBLAS_OP_N, 4, 4, 4) == CUBLAS_STATUS_SUCCESS);
  CHECK(gemm(handle, CUBLAS_OP_N, -1, 4, 4) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(gemm(handle, CUBLAS_OP_N, 4, -1, 4) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(gemm(handle, CUBLAS_OP_N, 4, 4, -1) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(gemm(handle, static_cast<cublasOperation_t>(3), 4, 4, 4) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(gemm(nullptr, CUBLAS_OP_N, 4, 4, 4) == CUBLAS_STATUS_NOT_INITIALIZED);
  const auto with_scalars = [&](const float* alpha, const float* beta, float* c_data) {
    return cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 4, 4, 4, alpha, memory.data(), 4, memory.data(), 4, beta,
                       c_data, 4);
  };
  CHECK(with_scalars(nullptr, &zero, c.data()) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(with_scalars(&one, nullptr, c.data()) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(with_scalars(&one, &one, nullptr) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(cublasCreate(nullptr) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(cublasDestroy(nullptr) == CUBLAS_STATUS_NOT_INITIALIZED);
  CHECK(cublasSetStream(nullptr, nullptr) == CUBLAS_STATUS_NOT_INITIALIZED);
  CHECK(cublasSetMathMode(nullptr, CUBLAS_DEFAULT_MATH) == CUBLAS_STATUS_NOT_INITIALIZED);
  CHECK(cublasGetStatusString(CUBLAS_STATUS_INVALID_VALUE) ==
        std::string("an unsupported value or parameter was passed to the function"));
  CHECK(cublasGetStatusName(CUBLAS_STATUS_NOT_SUPPORTED) == std::string("CUBLAS_STATUS_NOT_SUPPORTED"));
}

// "<type> scalar used for multiplication. If beta==0, C does not have to be a valid input." (cublas<t>gemm())
TEST_CASE("stand-in of cuBLAS: with beta 0 C is not read, with k 0 C is scaled") {
  const Handle handle;
  const DeviceArray<float> a(std::vector<float>{2}), c(1), scaled(std::vector<float>{3});
  CHECK(cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one, a.data(), 1, a.data(), 1, &zero, c.data(), 1) ==
        CUBLAS_STATUS_SUCCESS);
  CHECK(c.values()[0] == 4);
  CHECK(cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one, a.data(), 1, a.data(), 1, &one, c.data(), 1) ==
        CUBLAS_STATUS_SUCCESS);
  CHECK(c.values()[0] == 8);
  const float half = 0.5f;
  CHECK(cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 0, &one, nullptr, 1, nullptr, 1, &half, scaled.data(), 1) ==
        CUBLAS_STATUS_SUCCESS);
  CHECK(scaled.values()[0] == 1.5f);
}

// "CUBLAS_POINTER_MODE_HOST: The scalars are passed by reference on the host." "CUBLAS_POINTER_MODE_DEVICE: The scalars
// are passed by reference on the device." (cublasPointerMode_t)
TEST_CASE("stand-in of cuBLAS: scalars lie where the pointer mode says") {
  const Handle handle;
  const DeviceArray<float> a(std::vector<float>{2}), b(std::vector<float>{3}), c(1), scalars(std::vector<float>{5, 0});
  const auto gemm = [&](const float* alpha, const float* beta) {
    return cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, alpha, a.data(), 1, b.data(), 1, beta, c.data(), 1);
  };
  CHECK(error_text([&] { gemm(scalars.data(), &zero); }) ==
        "simt: cublasSgemm: alpha is memory of the device, expected of the host");
  REQUIRE(cublasSetPointerMode(handle, CUBLAS_POINTER_MODE_DEVICE) == CUBLAS_STATUS_SUCCESS);
  CHECK(gemm(scalars.data(), scalars.data() + 1) == CUBLAS_STATUS_SUCCESS);
  CHECK(c.values()[0] == 30);
  CHECK(error_text([&] { gemm(scalars.data(), &zero); }) == "simt: cublasSgemm: beta is not memory of the device");
  CHECK(cublasSetPointerMode(handle, static_cast<cublasPointerMode_t>(2)) == CUBLAS_STATUS_INVALID_VALUE);
}

// "The workspace pointer has to be aligned to at least 256 bytes, otherwise CUBLAS_STATUS_INVALID_VALUE error is
// returned. The cublasSetStream() function unconditionally resets the cuBLAS library workspace back to the default
// workspace pool." (cublasSetWorkspace())
TEST_CASE("stand-in of cuBLAS: a workspace is overwritten until a stream is set") {
  const Handle handle;
  const DeviceArray<float> a(std::vector<float>{2}), c(1), workspace(128, 7.0f);
  const auto gemm = [&] {
    return cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one, a.data(), 1, a.data(), 1, &zero, c.data(), 1);
  };
  CHECK(cublasSetWorkspace(handle, workspace.data() + 1, 256) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(gemm() == CUBLAS_STATUS_SUCCESS);
  CHECK(workspace.values() == std::vector<float>(128, 7.0f));
  REQUIRE(cublasSetWorkspace(handle, workspace.data(), 256) == CUBLAS_STATUS_SUCCESS);
  CHECK(gemm() == CUBLAS_STATUS_SUCCESS);
  CHECK(c.values()[0] == 4);
  for (std::size_t i = 0; i < 128; ++i) CHECK(std::isnan(workspace.values()[i]) == (i < 64));
  REQUIRE(cublasSetStream(handle, main_stream()) == CUBLAS_STATUS_SUCCESS);
  workspace.data()[0] = 9;
  CHECK(gemm() == CUBLAS_STATUS_SUCCESS);
  CHECK(workspace.values()[0] == 9);
  REQUIRE(cublasSetWorkspace(handle, workspace.data(), 513) == CUBLAS_STATUS_SUCCESS);  // more than there is
  CHECK(error_text(gemm) == "simt: cublasSgemm: the workspace takes bytes 0 to 512 of an array that has 512");
}

// "CUBLAS_TF32_TENSOR_OP_MATH: Enable acceleration of single-precision routines using TF32 tensor cores. Note that input
// conversions round to nearest even." (cublasMath_t) "CUBLAS_COMPUTE_32F_PEDANTIC: Uses 32-bit single precision floating point arithmetic for all phases of
// calculations" (cublasComputeType_t)
TEST_CASE("stand-in of cuBLAS: TF32 rounds operands to 11 bits, and only where it is asked for") {
  const Handle handle;
  const float fine = 1.0f + 0x1.8p-11f, tie = 1.0f + 0x1p-11f, odd_tie = 1.0f + 0x1.8p-10f;
  const DeviceArray<float> a({fine, tie, odd_tie}), b({1, 1, 1}), c(1);
  const auto product_in = [&](cublasMath_t mode, cublasComputeType_t type) {
    REQUIRE(cublasSetMathMode(handle, mode) == CUBLAS_STATUS_SUCCESS);
    REQUIRE(cublasGemmEx(handle, CUBLAS_OP_T, CUBLAS_OP_N, 1, 1, 3, &one, a.data(), CUDA_R_32F, 3, b.data(), CUDA_R_32F,
                         3, &zero, c.data(), CUDA_R_32F, 1, type, CUBLAS_GEMM_DEFAULT) == CUBLAS_STATUS_SUCCESS);
    return c.values()[0];
  };
  const float exact = fine + tie + odd_tie, coarse = (1.0f + 0x1p-10f) + 1.0f + (1.0f + 0x1p-9f);
  CHECK(product_in(CUBLAS_DEFAULT_MATH, CUBLAS_COMPUTE_32F) == exact);
  CHECK(product_in(CUBLAS_PEDANTIC_MATH, CUBLAS_COMPUTE_32F) == exact);
  CHECK(product_in(CUBLAS_TF32_TENSOR_OP_MATH, CUBLAS_COMPUTE_32F) == coarse);
  CHECK(product_in(CUBLAS_TF32_TENSOR_OP_MATH, CUBLAS_COMPUTE_32F_PEDANTIC) == exact);
  CHECK(product_in(CUBLAS_DEFAULT_MATH, CUBLAS_COMPUTE_32F_FAST_TF32) == coarse);
  CHECK(product_in(CUBLAS_DEFAULT_MATH, CUBLAS_COMPUTE_32F_FAST_16BF) == 3.0f);
  CHECK(cublasSetMathMode(handle, static_cast<cublasMath_t>(7)) == CUBLAS_STATUS_INVALID_VALUE);
}

// "strideA: Value of type long long int that gives the offset in number of elements between A[i] and A[i+1]"
// (cublas<t>gemmStridedBatched())
TEST_CASE("stand-in of cuBLAS: a batch steps by its strides") {
  const Handle handle;
  const int m = 2, n = 3, k = 2, batches = 3;
  const std::vector<float> a = random_floats(4 + 2 * 1, 1);  // the matrices A overlap: read only
  const std::vector<float> b = random_floats(6 + 2 * 7, 2);
  const DeviceArray<float> at(a), bt(b), c(6 + 2 * 8);
  REQUIRE(cublasSgemmStridedBatched(handle, CUBLAS_OP_N, CUBLAS_OP_N, m, n, k, &one, at.data(), m, 1, bt.data(), k, 7,
                                    &zero, c.data(), m, 8, batches) == CUBLAS_STATUS_SUCCESS);
  const std::vector<float> result = c.values();
  for (int batch = 0; batch < batches; ++batch) {
    for (int column = 0; column < n; ++column) {
      for (int row = 0; row < m; ++row) {
        double sum = 0;
        for (int inner = 0; inner < k; ++inner)
          sum += double{a[static_cast<std::size_t>(batch + inner * m + row)]} *
                 b[static_cast<std::size_t>(batch * 7 + column * k + inner)];
        CHECK(result[static_cast<std::size_t>(batch * 8 + column * m + row)] == static_cast<float>(sum));
      }
    }
  }
  CHECK(std::isnan(result[6]));
  CHECK(std::isnan(result[7]));
  const auto with_stride = [&](int ldc, long long stride) {
    return error_text([&] {
      cublasSgemmStridedBatched(handle, CUBLAS_OP_N, CUBLAS_OP_N, m, 2, k, &one, at.data(), m, 1, bt.data(), k, 7,
                                &zero, c.data(), ldc, stride, batches);
    });
  };
  // "C[i] matrices must not overlap, i.e. the individual gemm operations must be computable independently; otherwise,
  // undefined behavior is expected." (cublas<t>gemmStridedBatched())
  CHECK(with_stride(m, 3) == "simt: cublasSgemmStridedBatched: the matrices C of the batch overlap: strideC is 3");
  CHECK(with_stride(m, 0) == "simt: cublasSgemmStridedBatched: the matrices C of the batch overlap: strideC is 0");
  CHECK(with_stride(6, 2) == "no error");  // side by side
  CHECK(with_stride(5, 2) != "no error");
}

// "cublasGemmEx: … the user can individually specify the data types for each of the A, B and C matrices, the precision
// of computation and the GEMM algorithm to be run." The table of supported combinations has, for CUBLAS_COMPUTE_32F with
// scalars of CUDA_R_32F: A and B CUDA_R_16BF with C CUDA_R_16BF or CUDA_R_32F, and CUDA_R_32F with CUDA_R_32F.
TEST_CASE("stand-in of cuBLAS: bf16 operands") {
  const Handle handle;
  const std::vector<uint16_t> a{bf16_bits(1.5f), bf16_bits(-2.25f)}, b{bf16_bits(3.0f), bf16_bits(0.125f)};
  const DeviceArray<uint16_t> at(a), bt(b), half(1, uint16_t{0});
  const DeviceArray<float> c(1);
  const auto gemm = [&](cudaDataType in, cudaDataType out, void* result, cublasComputeType_t type) {
    return cublasGemmStridedBatchedEx(handle, CUBLAS_OP_T, CUBLAS_OP_N, 1, 1, 2, &one, at.data(), in, 2, 0, bt.data(),
                                      in, 2, 0, &zero, result, out, 1, 0, 1, type, CUBLAS_GEMM_DEFAULT);
  };
  CHECK(gemm(CUDA_R_16BF, CUDA_R_32F, c.data(), CUBLAS_COMPUTE_32F) == CUBLAS_STATUS_SUCCESS);
  CHECK(c.values()[0] == 4.21875f);
  CHECK(gemm(CUDA_R_16BF, CUDA_R_16BF, half.data(), CUBLAS_COMPUTE_32F) == CUBLAS_STATUS_SUCCESS);
  CHECK(half.values()[0] == bf16_bits(4.21875f));
  CHECK(gemm(CUDA_R_16BF, CUDA_R_32F, c.data(), CUBLAS_COMPUTE_32F_FAST_TF32) == CUBLAS_STATUS_NOT_SUPPORTED);
  CHECK(gemm(CUDA_R_16BF, CUDA_R_32F, c.data(), CUBLAS_COMPUTE_32F_FAST_16BF) == CUBLAS_STATUS_NOT_SUPPORTED);
  CHECK(gemm(CUDA_R_32F, CUDA_R_16BF, half.data(), CUBLAS_COMPUTE_32F) == CUBLAS_STATUS_NOT_SUPPORTED);
  CHECK(gemm(CUDA_R_64F, CUDA_R_64F, c.data(), CUBLAS_COMPUTE_32F) == CUBLAS_STATUS_NOT_SUPPORTED);
}

TEST_CASE("stand-in of cuBLAS: what is undefined is an error") {
  const Handle handle;
  const DeviceArray<float> a(6, 1.0f), b(6, 1.0f), c(4);
  std::vector<float> host(6);
  const auto gemm = [&](const float* a_data, const float* b_data, float* c_data) {
    return error_text(
        [&] { cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 3, &one, a_data, 2, b_data, 3, &zero, c_data, 2); });
  };
  CHECK(gemm(a.data(), b.data(), c.data()) == "no error");
  CHECK(gemm(host.data(), b.data(), c.data()) == "simt: cublasSgemm: A is not memory of the device");
  CHECK(gemm(a.data(), nullptr, c.data()) == "simt: cublasSgemm: B is not memory of the device");
  CHECK(gemm(a.data() + 1, b.data(), c.data()) == "simt: cublasSgemm: A takes bytes 4 to 27 of an array that has 24");
  CHECK(gemm(a.data(), b.data(), c.data() + 1) == "simt: cublasSgemm: C takes bytes 4 to 19 of an array that has 16");
  CHECK(gemm(a.data(), b.data(), a.data()) == "simt: cublasSgemm: C overlaps A");
  // Of the arena's memory, as much as it was asked for: its blocks are of whole 64 bytes.
  Buffer buffer = arena(Device::simt).allocate(20);
  auto* of_arena = static_cast<float*>(buffer.data());
  CHECK(gemm(of_arena, b.data(), c.data()) == "simt: cublasSgemm: A takes bytes 0 to 23 of an array that has 20");
  buffer = {};
  CHECK(gemm(of_arena, b.data(), c.data()) == "simt: cublasSgemm: A is not memory of the device");
  cublasSetStream(handle, nullptr);
  CHECK(gemm(a.data(), b.data(), c.data()) ==
        "simt: cublasSgemm: on another stream than the kernels: tell the library of main_stream()");
  cublasHandle_t other = nullptr;
  const std::size_t live = live_cublas_objects();
  REQUIRE(cublasCreate(&other) == CUBLAS_STATUS_SUCCESS);
  CHECK(live_cublas_objects() == live + 1);
  REQUIRE(cublasDestroy(other) == CUBLAS_STATUS_SUCCESS);
  CHECK(live_cublas_objects() == live);
  CHECK(error_text([&] { cublasSetStream(other, nullptr); }) ==
        "simt: a cublasHandle_t that was destroyed or never created");
}

}  // namespace
}  // namespace melgrad::simt
