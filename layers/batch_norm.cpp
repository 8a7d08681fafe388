#include "layers/batch_norm.h"

#include "layers/initializer.h"
#include "tensor/ops/movement.h"

namespace melgrad {

Shape BatchNorm::build(const Shape& input, BuildContext& context) {
  require(input.rank() >= 1, "batch_norm: the input has no channels");
  require(options_.epsilon > 0, "batch_norm: epsilon is {}, expected a positive number", options_.epsilon);
  require(options_.momentum.keep >= 0 && options_.momentum.keep <= 1, "batch_norm: momentum keeps {}, expected 0 to 1",
          options_.momentum.keep);
  const int64_t rank = input.rank() + 1;
  require(options_.axis >= -rank && options_.axis < rank && options_.axis != 0 && options_.axis != -rank,
          "batch_norm: axis {} of {} with the batch; expected one behind it", options_.axis, rank);
  if (options_.axis < 0) options_.axis += rank;
  last_axis_ = rank - 1;
  const Shape channels{input[options_.axis - 1]};
  gamma_ = constant_parameter(1, channels, true, context.dtype, context.device);
  beta_ = constant_parameter(0, channels, true, context.dtype, context.device);
  running_mean_ = constant_parameter(0, channels, false, context.dtype, context.device);
  running_variance_ = constant_parameter(1, channels, false, context.dtype, context.device);
  return input;
}

Tensor BatchNorm::pre_activation(const Tensor& x, const Pass& pass) {
  const int64_t last = x.shape().rank() - 1;
  if (options_.axis != last) return swap_axes(normalise(swap_axes(x, options_.axis, last), pass), options_.axis, last);
  return normalise(x, pass);
}

Tensor BatchNorm::normalise(const Tensor& x, const Pass& pass) {
  return pass.training ? batch_norm_train(x, gamma_, beta_, running_mean_, running_variance_, options_)
                       : batch_norm_infer(x, gamma_, beta_, running_mean_, running_variance_, options_);
}

Tensor BatchNorm::norm_pool(const Tensor& y, const Tensor& bias, const Window& rows, const Window& columns, bool relu) {
  return norm_pool_train(y, gamma_, beta_, bias, running_mean_, running_variance_, options_, rows, columns, relu);
}

std::vector<NamedTensor> BatchNorm::state() const {
  return {{"gamma", gamma_},
          {"beta", beta_},
          {"running_mean", running_mean_, false},
          {"running_variance", running_variance_, false}};
}

}  // namespace melgrad
