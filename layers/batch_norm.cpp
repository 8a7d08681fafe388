#include "layers/batch_norm.h"

#include "layers/initializer.h"

namespace melgrad {

Shape BatchNorm::build(const Shape& input, BuildContext& context) {
  require(input.rank() >= 1, "batch_norm: the input has no channels");
  require(options_.epsilon > 0, "batch_norm: epsilon is {}, expected a positive number", options_.epsilon);
  require(options_.momentum.keep >= 0 && options_.momentum.keep <= 1, "batch_norm: momentum keeps {}, expected 0 to 1",
          options_.momentum.keep);
  const Shape channels{input[-1]};
  gamma_ = constant_parameter(1, channels, true, context.dtype, context.device);
  beta_ = constant_parameter(0, channels, true, context.dtype, context.device);
  running_mean_ = constant_parameter(0, channels, false, context.dtype, context.device);
  running_variance_ = constant_parameter(1, channels, false, context.dtype, context.device);
  return input;
}

Tensor BatchNorm::pre_activation(const Tensor& x, const Pass& pass) {
  return pass.training ? batch_norm_train(x, gamma_, beta_, running_mean_, running_variance_, options_)
                       : batch_norm_infer(x, gamma_, beta_, running_mean_, running_variance_, options_);
}

std::vector<NamedTensor> BatchNorm::state() const {
  return {{"gamma", gamma_},
          {"beta", beta_},
          {"running_mean", running_mean_, false},
          {"running_variance", running_variance_, false}};
}

}  // namespace melgrad
