#include "bench/peers/eigen.h"

#include <Eigen/Core>

#include "kernels/thread_pool.h"

namespace melgrad::bench {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::Map<const Matrix> matrix_of(const ConstView& view) {
  return {view.as<float>(), view.shape[0], view.shape[1]};
}

}  // namespace

void eigen_matmul(const MatmulProblem& problem, ConstView a, ConstView b, View c) {
  Eigen::setNbThreads(static_cast<int>(thread_pool().threads()));
  Eigen::Map<Matrix> product(c.as<float>(), c.shape[0], c.shape[1]);
  const auto left = matrix_of(a), right = matrix_of(b);
  if (problem.transpose_a && problem.transpose_b) {
    product.noalias() = left.transpose() * right.transpose();
  } else if (problem.transpose_a) {
    product.noalias() = left.transpose() * right;
  } else if (problem.transpose_b) {
    product.noalias() = left * right.transpose();
  } else {
    product.noalias() = left * right;
  }
}

}  // namespace melgrad::bench
