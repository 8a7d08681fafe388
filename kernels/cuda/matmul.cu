// Matrix product, in tiles of shared memory.
//
// Algorithm: a block computes a tile of 64 × 64 of c. It walks along k in steps of 16: all threads copy a 64 × 16 piece
// of op(a) and a 16 × 64 piece of op(b) to shared memory, and each thread then adds their products to its 4 × 4
// elements of c, which it keeps in registers. An element is one sum in the order of k. Pieces are filled with zeros
// past the edges, so the inner loop has no branch. Bottleneck: for large sizes, shared-memory reads and the multiplier:
// 8 shared reads feed 16 multiply-adds, and an element of a or b is fetched from global memory once for 64
// multiply-adds. For few rows or columns, global memory. Launch: 16 × 16 threads; one block a tile, rows of tiles along
// x since that dimension of a grid is the long one. 8.3 KB of shared memory. The rows of both pieces are padded by one
// element: threads that copy along k write down a column, which would otherwise be one bank.
#include "kernels/cuda/portability.h"
#include "kernels/matmul.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int tile = 64;          // rows and columns of c a block
constexpr int depth = 16;         // of a step along k
constexpr int side = 16;          // threads along each side of the tile
constexpr int own = tile / side;  // rows and columns a thread
constexpr int threads = side * side;

using Piece = SharedArray<float, depth, tile + 1>;  // [k][row of op(a) or column of op(b)]

// Copies elements [first_line, + tile) × [first_k, + depth) of a matrix of `lines` × `k`. Neighbouring threads read
// neighbouring addresses: along k if k is the inner axis in memory, else along the lines.
template <bool k_is_inner>
__device__ void load_piece(Global<const float> matrix, int64_t lines, int64_t k, int64_t first_line, int64_t first_k,
                           Piece& piece) {
  const int thread = static_cast<int>(threadIdx.y * side + threadIdx.x);
  MELGRAD_UNROLL
  for (int element = thread; element < tile * depth; element += threads) {
    const int inner = k_is_inner ? element % depth : element / tile;
    const int outer = k_is_inner ? element / depth : element % tile;
    const int64_t line = first_line + outer;
    const int64_t step = first_k + inner;
    float value = 0.0f;
    if (line < lines && step < k) value = matrix[k_is_inner ? line * k + step : step * lines + line];
    piece[inner][outer] = value;
  }
}

template <bool transpose_a, bool transpose_b>
__global__ void __launch_bounds__(threads)
    matmul_kernel(Global<const float> a, Global<const float> b, Global<float> c, int64_t m, int64_t n, int64_t k) {
  __shared__ Piece a_piece;
  __shared__ Piece b_piece;
  const int64_t first_row = int64_t{blockIdx.x} * tile;
  const int64_t first_column = int64_t{blockIdx.y} * tile;
  // A thread's rows and columns lie `side` apart, so that neighbouring threads read neighbouring banks.
  float sum[own][own] = {};
  for (int64_t first_k = 0; first_k < k; first_k += depth) {
    load_piece<!transpose_a>(a, m, k, first_row, first_k, a_piece);
    load_piece<transpose_b>(b, n, k, first_column, first_k, b_piece);
    __syncthreads();
    for (int step = 0; step < depth; ++step) {
      float left[own], right[own];
      MELGRAD_UNROLL
      for (int i = 0; i < own; ++i) {
        left[i] = a_piece[step][threadIdx.y + i * side];
        right[i] = b_piece[step][threadIdx.x + i * side];
      }
      MELGRAD_UNROLL
      for (int i = 0; i < own; ++i) {
        MELGRAD_UNROLL
        for (int j = 0; j < own; ++j) sum[i][j] += left[i] * right[j];
      }
    }
    __syncthreads();  // before the pieces are overwritten
  }
  MELGRAD_UNROLL
  for (int i = 0; i < own; ++i) {
    MELGRAD_UNROLL
    for (int j = 0; j < own; ++j) {
      const int64_t row = first_row + threadIdx.y + i * side;
      const int64_t column = first_column + threadIdx.x + j * side;
      if (row < m && column < n) c[row * n + column] = sum[i][j];
    }
  }
}

void run(Stream& stream, const MatmulProblem& problem, ConstView a, ConstView b, View c, MatmulAlgorithm) {
  if (problem.m == 0 || problem.n == 0) return;
  const dim3 grid(blocks_for(problem.m, tile), blocks_for(problem.n, tile));
  const auto start = [&]<bool transpose_a, bool transpose_b>() {
    launch<matmul_kernel<transpose_a, transpose_b>>(grid, dim3(side, side), 0, stream, global<const float>(a),
                                                    global<const float>(b), global<float>(c), problem.m, problem.n,
                                                    problem.k);
  };
  if (problem.transpose_a) {
    problem.transpose_b ? start.template operator()<true, true>() : start.template operator()<true, false>();
  } else {
    problem.transpose_b ? start.template operator()<false, true>() : start.template operator()<false, false>();
  }
}

constexpr MatmulAlgorithm algorithms[] = {MatmulAlgorithm::tiled};

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(MatmulFunctions, matmul, algorithms, run)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
