#include "layers/gru.h"

#include "tensor/ops/bias.h"
#include "tensor/ops/matmul.h"
#include "tensor/ops/movement.h"
#include "tensor/ops/reshape.h"

namespace melgrad {

Shape Gru::build(const Shape& input, BuildContext& context) {
  require(options_.units >= 1, "gru: {} units, expected at least 1", options_.units);
  if (input.rank() != 2 || input[0] < 1) fail("gru: the input is {}, expected (time, channels)", input.to_string());
  const int64_t u = options_.units;
  const auto weight = [&](Initializer initializer, const Shape& shape) {
    return initialize(initializer, shape, fans_of(shape), context.next_generator(), context.dtype, context.device);
  };
  kernel_ = weight(options_.initializer, {input[1], 3 * u});
  recurrent_kernel_ = weight(options_.recurrent_initializer, {u, 3 * u});
  bias_ =
      constant_parameter(0, options_.reset_after ? Shape{2, 3 * u} : Shape{3 * u}, true, context.dtype, context.device);
  return options_.return_sequences ? Shape{input[0], u} : Shape{u};
}

Tensor Gru::pre_activation(const Tensor& x, const Pass&) {
  const int64_t n = x.shape()[0], t = x.shape()[1], c = x.shape()[2], u = options_.units;
  Tensor input_bias = bias_, recurrent_bias = bias_;
  if (options_.reset_after) {
    const auto row = [&](int64_t i) { return reshape(slice(bias_, {.axis = 0, .begin = i, .end = i + 1}), {3 * u}); };
    input_bias = row(0);
    recurrent_bias = row(1);
  }
  const Tensor a = add_bias(matmul(reshape(x, {n * t, c}), kernel_), input_bias);
  const Tensor states =
      gru(reshape(a, {n, t, 3 * u}), recurrent_kernel_, recurrent_bias,
          {.reset_after = options_.reset_after, .recurrent_activation = options_.recurrent_activation});
  if (options_.return_sequences) return states;
  return reshape(slice(states, {.axis = 1, .begin = t - 1, .end = t}), {n, u});
}

std::vector<NamedTensor> Gru::state() const {
  return {{"kernel", kernel_}, {"recurrent_kernel", recurrent_kernel_}, {"bias", bias_}};
}

int64_t Gru::flops(const Shape& input) const {
  const GruProblem problem{.n = 1, .t = input[0], .u = options_.units};
  return 6 * input[0] * input[1] * options_.units + gru_forward_cost(problem, size_of(kernel_.dtype())).flops;
}

}  // namespace melgrad
