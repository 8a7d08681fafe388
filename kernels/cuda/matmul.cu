// Matrix product: see kernels/cuda/gemm.h for the algorithm and its bottleneck.
//
// An element of a or b is fetched from global memory once for 64 multiply-adds (32 or 128 with the tall tile, for c of
// few columns); for few rows or columns that is the bottleneck.
// cublas: the library (kernels/cuda/cublas_matmul.h).
// Launch: a block of 256 threads a tile; rows of tiles along x, since that dimension of a grid is the long one.
#include "kernels/cuda/cublas_matmul.h"
#include "kernels/cuda/gemm.h"
#include "kernels/matmul.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

// A matrix (lines, steps) in memory, or its transpose.
template <bool inner>
struct Matrix {
  static constexpr bool steps_are_inner = inner;
  using Line = int64_t;
  using Step = int64_t;
  Global<const float> values;
  int64_t lines, steps;

  __device__ __forceinline__ Line line(int64_t line) const { return line; }
  __device__ __forceinline__ Step step(int64_t step) const { return step; }
  __device__ __forceinline__ float load(int64_t line, int64_t step) const {
    if (line >= lines || step >= steps) return 0.0f;
    return values[inner ? line * steps + step : step * lines + line];
  }
};

template <class Tile, class A, class B>
__global__ void __launch_bounds__(gemm_threads, 2) matmul_kernel(A a, B b, Global<float> c) {
  multiply_tile<Tile>(a, b, int64_t{blockIdx.x} * Tile::a, int64_t{blockIdx.y} * Tile::b, 0, a.steps,
                      [&](int64_t row, int64_t column, float sum) {
                        if (row < a.lines && column < b.lines) c[row * b.lines + column] = sum;
                      });
}

void run(Stream& stream, const MatmulProblem& problem, ConstView a, ConstView b, View c, MatmulAlgorithm algorithm) {
  if (problem.m == 0 || problem.n == 0) return;
  if (algorithm == MatmulAlgorithm::cublas && problem.k > 0)  // sums of nothing are left to our own
    return cublas_matmul(problem, a.as<float>(), b.as<float>(), c.as<float>());
  const auto start = [&]<class Tile, bool transpose_a, bool transpose_b>() {
    using A = Matrix<!transpose_a>;
    using B = Matrix<transpose_b>;
    const dim3 grid(blocks_for(problem.m, Tile::a), blocks_for(problem.n, Tile::b));
    launch<matmul_kernel<Tile, A, B>>(grid, gemm_threads, 0, stream, A{global<const float>(a), problem.m, problem.k},
                                      B{global<const float>(b), problem.n, problem.k}, global<float>(c));
  };
  const auto with_tile = [&]<bool transpose_a, bool transpose_b>() {
    problem.n <= TallTile::b ? start.template operator()<TallTile, transpose_a, transpose_b>()
                             : start.template operator()<SquareTile, transpose_a, transpose_b>();
  };
  if (problem.transpose_a) {
    problem.transpose_b ? with_tile.template operator()<true, true>() : with_tile.template operator()<true, false>();
  } else {
    problem.transpose_b ? with_tile.template operator()<false, true>() : with_tile.template operator()<false, false>();
  }
}

constexpr MatmulAlgorithm algorithms[] = {MatmulAlgorithm::tiled, MatmulAlgorithm::cublas};

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(MatmulFunctions, matmul, algorithms, run)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
