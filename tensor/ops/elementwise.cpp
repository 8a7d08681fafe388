#include "tensor/ops/elementwise.h"

#include "kernels/reduce.h"
#include "tensor/autograd.h"

namespace melgrad {
namespace {

// What a broadcast repeated, summed back to `shape`.
Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  Shape aligned;  // `shape` with 1 in front, up to x's rank
  for (int64_t axis = 0; axis < x.shape().rank(); ++axis) {
    const int64_t own = axis - (x.shape().rank() - shape.rank());
    aligned.append(own < 0 ? 1 : shape[own]);
  }
  Tensor sum = Tensor::empty(aligned, x.dtype(), x.device());
  reduce(x.stream(), Reduction::sum, x.view(), sum.mutable_view());
  return sum.with_shape(shape);
}

Tensor compute(Binary operation, const Tensor& a, const Tensor& b) {
  Tensor y = Tensor::empty(broadcast_shape(name_of(operation).data(), a.shape(), b.shape()), a.dtype(), a.device());
  elementwise_binary(a.stream(), operation, a.view(), b.view(), y.mutable_view());
  return y;
}

Tensor scaled(const Tensor& x, double factor) {
  Tensor y = Tensor::empty_like(x);
  elementwise_scale(x.stream(), factor, x.view(), y.mutable_view());
  return y;
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
  return record("add", compute(Binary::add, a, b), {a, b},
                [a_shape = a.shape(), b_shape = b.shape()](const Tensor& dy, Gradients& gradients) {
                  if (gradients.wants(0)) gradients.set(0, sum_to(dy, a_shape));
                  if (gradients.wants(1)) gradients.set(1, sum_to(dy, b_shape));
                });
}

Tensor subtract(const Tensor& a, const Tensor& b) {
  return record("subtract", compute(Binary::subtract, a, b), {a, b},
                [a_shape = a.shape(), b_shape = b.shape()](const Tensor& dy, Gradients& gradients) {
                  if (gradients.wants(0)) gradients.set(0, sum_to(dy, a_shape));
                  if (gradients.wants(1)) gradients.set(1, sum_to(scaled(dy, -1), b_shape));
                });
}

Tensor multiply(const Tensor& a, const Tensor& b) {
  return record("multiply", compute(Binary::multiply, a, b), {a, b},
                [a = Saved(a), b = Saved(b)](const Tensor& dy, Gradients& gradients) {
                  if (gradients.wants(0)) {
                    gradients.set(0, sum_to(compute(Binary::multiply, dy, b.get()), a.get().shape()));
                  }
                  if (gradients.wants(1)) {
                    gradients.set(1, sum_to(compute(Binary::multiply, dy, a.get()), b.get().shape()));
                  }
                });
}

Tensor divide(const Tensor& a, const Tensor& b) {
  Tensor y = compute(Binary::divide, a, b);
  return record("divide", y, {a, b},
                [a_shape = a.shape(), b = Saved(b), y = Saved(y)](const Tensor& dy, Gradients& gradients) {
                  const Tensor da = compute(Binary::divide, dy, b.get());  // before the sum
                  if (gradients.wants(0)) gradients.set(0, sum_to(da, a_shape));
                  if (gradients.wants(1)) {
                    // d(a/b)/db = -(a/b)/b
                    gradients.set(1, sum_to(scaled(compute(Binary::multiply, da, y.get()), -1), b.get().shape()));
                  }
                });
}

Tensor scale(const Tensor& x, double factor) {
  return record("scale", scaled(x, factor), {x},
                [factor](const Tensor& dy, Gradients& gradients) { gradients.set(0, scaled(dy, factor)); });
}

}  // namespace melgrad
