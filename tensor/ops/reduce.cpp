#include "tensor/ops/reduce.h"

#include "kernels/elementwise.h"
#include "tensor/autograd.h"
#include "tensor/ops/elementwise.h"

namespace melgrad {
namespace {

// x's shape with 1 at the reduced axes.
Shape reduced_shape(const Shape& shape, const std::vector<int64_t>& axes) {
  std::vector<int64_t> sizes(shape.begin(), shape.end());
  if (axes.empty()) sizes.assign(sizes.size(), 1);
  for (int64_t axis : axes) {
    require(axis >= -shape.rank() && axis < shape.rank(), "reduce: no axis {}", axis);
    sizes[static_cast<std::size_t>(axis < 0 ? axis + shape.rank() : axis)] = 1;
  }
  return Shape(sizes);
}

// The sum, or the mean: its gradient is the sum's over the number of elements that went into each result.
Tensor reduce_by(const char* name, Reduction reduction, const Tensor& x, const std::vector<int64_t>& axes) {
  const Shape kept = reduced_shape(x.shape(), axes);
  Tensor y = Tensor::empty(kept, x.dtype(), x.device());
  reduce(x.stream(), reduction, x.view(), y.mutable_view());
  if (axes.empty()) y = y.with_shape({});
  const double factor =
      reduction == Reduction::mean ? static_cast<double>(kept.numel()) / static_cast<double>(x.numel()) : 1.0;
  return record(name, y, {x}, [factor, kept, shape = x.shape()](const Tensor& dy, Gradients& gradients) {
    Tensor dx = Tensor::empty(shape, dy.dtype(), dy.device());
    elementwise_scale(dy.stream(), factor, dy.with_shape(kept).view(), dx.mutable_view());
    gradients.set(0, dx);
  });
}

}  // namespace

Tensor sum(const Tensor& x, const std::vector<int64_t>& axes) {
  return reduce_by("sum", Reduction::sum, x, axes);
}
Tensor mean(const Tensor& x, const std::vector<int64_t>& axes) {
  return reduce_by("mean", Reduction::mean, x, axes);
}

Tensor max(const Tensor& x, const std::vector<int64_t>& axes) {
  const Shape kept = reduced_shape(x.shape(), axes);
  Tensor y = Tensor::empty(kept, x.dtype(), x.device());
  reduce(x.stream(), Reduction::max, x.view(), y.mutable_view());
  const Saved maximum(y);
  if (axes.empty()) y = y.with_shape({});
  return record("max", y, {x}, [kept, maximum, x = Saved(x)](const Tensor& dy, Gradients& gradients) {
    Tensor dx = Tensor::empty_like(x.get());
    reduce_max_backward(dy.stream(), x.get().view(), maximum.get().view(), dy.with_shape(kept).view(),
                        dx.mutable_view());
    gradients.set(0, dx);
  });
}

Tensor variance(const Tensor& x, const std::vector<int64_t>& axes) {
  const Tensor distance = x - mean(x, axes);
  return mean(distance * distance, axes);
}

}  // namespace melgrad
