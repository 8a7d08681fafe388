// The recurrent part of a gated recurrent unit over a whole sequence: Cho et al., EMNLP 2014.
//
//   z = s(a_z + c_z),  r = s(a_r + c_r)                            update and reset gate, c = h' U + b, h' the state before
//   g = tanh(a_h + r ∘ c_h)            reset_after: Keras 2 and 3, cuDNN, PyTorch
//   g = tanh(a_h + (r ∘ h') U_h)       otherwise: Keras 1 and the paper; b is then zero
//   h = z ∘ h' + (1 - z) ∘ g
//
// Gates lie in the order z, r, h. a (n, t, 3u): what comes from the input, x W + b_input, for all steps at once.
// recurrent_kernel U (u, 3u); recurrent_bias b (3u). States h (n, t, u); the state before the first step is 0.
// `gates` (n, t, 4u) is kept for the backward pass: z, r, g, and c_h (reset_after) or r ∘ h'.
#pragma once

#include "kernels/activation.h"
#include "kernels/cost.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

struct GruProblem {
  int64_t n = 1, t = 1, u = 1;
  bool reset_after = true;
  Activation recurrent_activation = Activation::sigmoid;  // s: sigmoid, hard_sigmoid or hard_sigmoid_keras1

  Shape input_shape() const { return {n, t, 3 * u}; }
  Shape kernel_shape() const { return {u, 3 * u}; }
  Shape bias_shape() const { return {3 * u}; }
  Shape state_shape() const { return {n, t, u}; }
  Shape gates_shape() const { return {n, t, 4 * u}; }
  constexpr bool operator==(const GruProblem&) const = default;
};

// Without reset_after the bias is not read.
void gru_forward(Stream& stream, const GruProblem& problem, ConstView input, ConstView recurrent_kernel,
                 ConstView recurrent_bias, View state, View gates);

// From dstate, the gradient of each step's state: those of input, recurrent_kernel and recurrent_bias (zeros without
// reset_after). Sums over samples go over fixed chunks, in order.
void gru_backward(Stream& stream, const GruProblem& problem, ConstView recurrent_kernel, ConstView state,
                  ConstView gates, ConstView dstate, View dinput, View drecurrent_kernel, View drecurrent_bias);

constexpr Cost gru_forward_cost(const GruProblem& p, int64_t element_size) {
  return {p.n * p.t * (6 * p.u * p.u + 20 * p.u), (p.n * p.t * 8 * p.u + 3 * p.u * p.u + 3 * p.u) * element_size};
}
constexpr Cost gru_backward_cost(const GruProblem& p, int64_t element_size) {
  return {p.n * p.t * (12 * p.u * p.u + 30 * p.u), (p.n * p.t * 9 * p.u + 6 * p.u * p.u + 3 * p.u) * element_size};
}

struct GruFunctions {
  decltype(&gru_forward) forward;
  decltype(&gru_backward) backward;
};

}  // namespace melgrad
