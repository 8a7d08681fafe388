#include "layers/initializer.h"

#include <cmath>
#include <vector>

namespace melgrad {

Tensor initialize(Initializer initializer, const Shape& shape, const Fans& fans, Generator random, DType dtype,
                  Device device) {
  const bool he = initializer == Initializer::he_uniform || initializer == Initializer::he_normal;
  const bool normal = initializer == Initializer::glorot_normal || initializer == Initializer::he_normal;
  // He keeps the variance of the forward pass with relu: 2/fan_in. Glorot averages forward and backward.
  const double variance = 2.0 / static_cast<double>(he ? fans.in : fans.in + fans.out);
  const double limit = std::sqrt(3.0 * variance);  // a uniform ±a has variance a²/3
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  for (double& value : values) value = normal ? std::sqrt(variance) * random.normal() : random.uniform(-limit, limit);
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
