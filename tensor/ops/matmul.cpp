#include "tensor/ops/matmul.h"

#include "tensor/autograd.h"

namespace melgrad {
namespace {

Tensor product(const MatmulProblem& problem, const Tensor& a, const Tensor& b, MatmulAlgorithm algorithm) {
  Tensor c = Tensor::empty(problem.c_shape(), a.dtype(), a.device());
  matmul(a.stream(), problem, a.view(), b.view(), c.mutable_view(), algorithm);
  return c;
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, MatmulAlgorithm algorithm) {
  if (a.shape().rank() != 2 || b.shape().rank() != 2 || a.shape()[1] != b.shape()[0]) {
    fail("matmul: {} times {}; expected (m, k) times (k, n)", a.shape().to_string(), b.shape().to_string());
  }
  const int64_t m = a.shape()[0], k = a.shape()[1], n = b.shape()[1];
  const Tensor c = product({.m = m, .n = n, .k = k}, a, b, algorithm);
  return record("matmul", c, {a, b}, [=, a = Saved(a), b = Saved(b)](const Tensor& dc, Gradients& gradients) {
    // da = dc · bᵀ and db = aᵀ · dc.
    if (gradients.wants(0)) {
      gradients.set(0, product({.m = m, .n = k, .k = n, .transpose_b = true}, dc, b.get(), algorithm));
    }
    if (gradients.wants(1)) {
      gradients.set(1, product({.m = k, .n = n, .k = m, .transpose_a = true}, a.get(), dc, algorithm));
    }
  });
}

}  // namespace melgrad
