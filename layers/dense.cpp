#include "layers/dense.h"

#include "tensor/ops/matmul.h"
#include "tensor/ops/reshape.h"

namespace melgrad {
namespace {

Shape with_last(const Shape& shape, int64_t last) {
  Shape result;
  for (int64_t axis = 0; axis + 1 < shape.rank(); ++axis) result.append(shape[axis]);
  result.append(last);
  return result;
}

}  // namespace

Shape Dense::build(const Shape& input, BuildContext& context) {
  require(options_.units >= 1, "dense: {} units, expected at least 1", options_.units);
  require(input.rank() >= 1, "dense: the input has no axis");
  make_weight(options_.initializer, {input[-1], options_.units}, options_.bias, context);
  return with_last(input, options_.units);
}

Tensor Dense::convolve(const Tensor& x) const {
  if (x.shape().rank() == 2) return matmul(x, weight_);
  const int64_t in = weight_.shape()[0], rows = x.numel() / std::max<int64_t>(in, 1);
  return reshape(matmul(reshape(x, {rows, in}), weight_), with_last(x.shape(), options_.units));
}

}  // namespace melgrad
