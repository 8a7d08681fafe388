#include "layers/initializer.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace melgrad {

namespace {

bool is_normal(Initializer initializer) {
  return initializer == Initializer::glorot_normal || initializer == Initializer::he_normal ||
         initializer == Initializer::lecun_normal;
}

// He keeps the variance of the forward pass with relu, LeCun without; Glorot averages forward and backward.
double variance_of(Initializer initializer, const Fans& fans) {
  switch (initializer) {
    case Initializer::he_uniform:
    case Initializer::he_normal:
      return 2.0 / static_cast<double>(fans.in);
    case Initializer::lecun_uniform:
    case Initializer::lecun_normal:
      return 1.0 / static_cast<double>(fans.in);
    default:
      return 2.0 / static_cast<double>(fans.in + fans.out);
  }
}

// Makes the `count` vectors of `size` numbers orthonormal, count <= size, by Gram and Schmidt, each twice over for
// accuracy. Vector i, number k lies at values[i · vector_stride + k · stride].
void orthonormalise(std::vector<double>& values, int64_t count, int64_t size, int64_t vector_stride, int64_t stride) {
  const auto at = [&](int64_t vector, int64_t k) -> double& {
    return values[static_cast<std::size_t>(vector * vector_stride + k * stride)];
  };
  const auto dot = [&](int64_t a, int64_t b) {
    double sum = 0;
    for (int64_t k = 0; k < size; ++k) sum += at(a, k) * at(b, k);
    return sum;
  };
  for (int64_t i = 0; i < count; ++i) {
    for (int pass = 0; pass < 2; ++pass) {
      for (int64_t j = 0; j < i; ++j) {
        const double along = dot(i, j);
        for (int64_t k = 0; k < size; ++k) at(i, k) -= along * at(j, k);
      }
      const double length = std::sqrt(dot(i, i));
      for (int64_t k = 0; k < size; ++k) at(i, k) /= length;
    }
  }
}

void fill_orthogonal(std::vector<double>& values, const Shape& shape, Generator& random) {
  for (double& value : values) value = random.normal();
  const int64_t columns = shape[-1], rows = shape.numel() / std::max<int64_t>(columns, 1);
  if (columns <= rows) {
    orthonormalise(values, columns, rows, 1, columns);
  } else {
    orthonormalise(values, rows, columns, columns, 1);
  }
}

}  // namespace

Fans fans_of(const Shape& weight) {
  require(weight.rank() >= 2, "initializer: a weight has at least two axes");
  const int64_t in = weight[-2], out = weight[-1];
  int64_t taps = 1;
  for (int64_t axis = 0; axis + 2 < weight.rank(); ++axis) taps *= weight[axis];
  return {.in = taps * in, .out = taps * out};
}

Tensor initialize(Initializer initializer, const Shape& shape, const Fans& fans, Generator random, DType dtype,
                  Device device) {
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  if (initializer == Initializer::orthogonal) {
    fill_orthogonal(values, shape, random);
  } else {
    const double deviation = std::sqrt(variance_of(initializer, fans));
    const double limit = std::sqrt(3.0) * deviation;  // a uniform ±a has variance a²/3
    for (double& value : values)
      value = is_normal(initializer) ? deviation * random.normal() : random.uniform(-limit, limit);
  }
  Tensor tensor;
  if (dtype == DType::f64) {
    tensor = Tensor::from(values, shape, device);
  } else {
    tensor = Tensor::from(std::vector<float>(values.begin(), values.end()), shape, device);
  }
  return tensor.set_requires_grad();
}

Tensor constant_parameter(double value, const Shape& shape, bool trainable, DType dtype, Device device) {
  return Tensor::full(shape, value, dtype, device).set_requires_grad(trainable);
}

}  // namespace melgrad
