// Matrix product: c = op(a) · op(b), row-major.
//
// op(a) is (m, k) and op(b) is (k, n); with transpose_a, a is stored (k, m), and likewise b. c (m, n) is overwritten
// and does not overlap a or b. k = 0 gives zeros. An element of c is one sum over k in a fixed order.
#pragma once

#include <span>

#include "kernels/cost.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

struct MatmulProblem {
  int64_t m = 1, n = 1, k = 1;
  bool transpose_a = false, transpose_b = false;

  Shape a_shape() const { return transpose_a ? Shape{k, m} : Shape{m, k}; }
  Shape b_shape() const { return transpose_b ? Shape{n, k} : Shape{k, n}; }
  Shape c_shape() const { return {m, n}; }
  constexpr bool operator==(const MatmulProblem&) const = default;
};

enum class MatmulAlgorithm : uint8_t {
  automatic,
  direct,   // three loops
  blocked,  // cpu: packed panels and a register-tiled kernel
  tiled,    // cuda, simt: tiles in shared memory
  cublas,   // cuda (simt: a stand-in): the library, where it is found; never `automatic`
};

template <>
inline constexpr EnumNames<MatmulAlgorithm, 5> enum_names<MatmulAlgorithm>{{{MatmulAlgorithm::automatic, "automatic"},
                                                                            {MatmulAlgorithm::direct, "direct"},
                                                                            {MatmulAlgorithm::blocked, "blocked"},
                                                                            {MatmulAlgorithm::tiled, "tiled"},
                                                                            {MatmulAlgorithm::cublas, "cublas"}}};

// The algorithms built for a device, `automatic` aside.
std::span<const MatmulAlgorithm> matmul_algorithms(Device device);

void matmul(Stream& stream, const MatmulProblem& problem, ConstView a, ConstView b, View c,
            MatmulAlgorithm algorithm = MatmulAlgorithm::automatic);

constexpr Cost matmul_cost(const MatmulProblem& p, int64_t element_size) {
  return {2 * p.m * p.n * p.k, (p.m * p.k + p.k * p.n + p.m * p.n) * element_size};
}

struct MatmulFunctions {
  std::span<const MatmulAlgorithm> algorithms;
  void (*run)(Stream&, const MatmulProblem&, ConstView a, ConstView b, View c, MatmulAlgorithm);
};

}  // namespace melgrad
