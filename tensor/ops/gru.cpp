#include "tensor/ops/gru.h"

#include "tensor/autograd.h"

namespace melgrad {

Tensor gru(const Tensor& input, const Tensor& recurrent_kernel, const Tensor& recurrent_bias,
           const GruOptions& options) {
  const Shape &x = input.shape(), &kernel = recurrent_kernel.shape();
  if (x.rank() != 3 || kernel.rank() != 2 || kernel[1] != 3 * kernel[0] || x[2] != kernel[1])
    fail("gru: the input is {} and the recurrent kernel {}; expected (n, t, 3u) and (u, 3u)", x.to_string(),
         kernel.to_string());
  const GruProblem p{x[0], x[1], kernel[0], options.reset_after, options.recurrent_activation};
  Tensor state = Tensor::empty(p.state_shape(), input.dtype(), input.device());
  Tensor gates = Tensor::empty(p.gates_shape(), input.dtype(), input.device());
  gru_forward(input.stream(), p, input.view(), recurrent_kernel.view(), recurrent_bias.view(), state.mutable_view(),
              gates.mutable_view());
  return record("gru", state, {input, recurrent_kernel, recurrent_bias},
                [p, kernel = Saved(recurrent_kernel), state = Saved(state), gates = Saved(gates)](
                    const Tensor& dy, Gradients& gradients) {
                  Tensor dinput = Tensor::empty(p.input_shape(), dy.dtype(), dy.device());
                  Tensor dkernel = Tensor::empty_like(kernel.get());
                  Tensor dbias = Tensor::empty(p.bias_shape(), dy.dtype(), dy.device());
                  gru_backward(dy.stream(), p, kernel.get().view(), state.get().view(), gates.get().view(), dy.view(),
                               dinput.mutable_view(), dkernel.mutable_view(), dbias.mutable_view());
                  gradients.set(0, dinput);
                  gradients.set(1, dkernel);
                  gradients.set(2, dbias);
                });
}

}  // namespace melgrad
