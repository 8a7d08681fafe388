#include "layers/dense.h"

#include "tensor/ops/bias.h"
#include "tensor/ops/matmul.h"

namespace melgrad {

Shape Dense::build(const Shape& input, BuildContext& context) {
  require(options_.units >= 1, "dense: {} units, expected at least 1", options_.units);
  if (input.rank() != 1) {
    fail("dense: the input is {}, expected one axis; put a flatten or a global pooling before it", input.to_string());
  }
  weight_ = initialize(options_.initializer, {input[0], options_.units}, {.in = input[0], .out = options_.units},
                       context.next_generator(), context.dtype, context.device);
  if (options_.bias) bias_ = constant_parameter(0, {options_.units}, true, context.dtype, context.device);
  return {options_.units};
}

Tensor Dense::pre_activation(const Tensor& x, const Pass&) {
  const Tensor y = matmul(x, weight_);
  return bias_.defined() ? add_bias(y, bias_) : y;
}

std::vector<NamedTensor> Dense::state() const {
  std::vector<NamedTensor> state{{"weight", weight_}};
  if (bias_.defined()) state.push_back({"bias", bias_});
  return state;
}

int64_t Dense::flops(const Shape& input) const {
  return 2 * input[0] * options_.units;
}

}  // namespace melgrad
