// A convolution with what follows it in a network without a batch norm, or before one: bias -> activation -> max pool.
//
//   z = f(the largest y of each window),   y = conv(x, weight) + bias
//
// f never decreases, so it commutes with the pool. Ties go to the window's first position in row order, by y; where f makes
// equal what y is not (ReLU below 0) the layers one by one may name another, of the same z and the same gradient: 0. A NaN
// wins, as in max_pool2d.h. Neither y nor its gradient is ever stored: a window's winner and z are all that the backward
// pass needs, since f' follows from f's value.
//
// x (n, h, w, c), weight (kh, kw, c, o), bias (o) or null where there is none; z, argmax (n, pooled h, pooled w, o); argmax
// i32 as max_pool2d.h's. Windows of the pool may overlap and reach over the border, by less than their size.
#pragma once

#include "kernels/activation.h"
#include "kernels/block.h"

namespace melgrad {

struct ConvPoolProblem {
  Conv2dProblem conv;
  Window pool_rows{}, pool_columns{};  // 1 by 1 where nothing is pooled
  ActivationChoice activation = Activation::linear;

  Pool2dProblem pool() const { return {conv.n, conv.h_out(), conv.w_out(), conv.o, pool_rows, pool_columns}; }
  bool pools() const { return pool_rows != Window{} || pool_columns != Window{}; }
};

// Whether the device has a form of this problem that beats its parts. On the CPU: one group, f that never decreases, a pool
// without dilation, and a convolution that is direct or Winograd's (whose transforms spread a NaN over a tile).
bool conv_pool_applies(Device device, const ConvPoolProblem& problem);

// argmax: null where nothing is pooled or nobody will ask for gradients.
void conv_pool_forward(Stream& stream, const ConvPoolProblem& problem, ConstView x, ConstView weight, ConstView bias,
                       View z, View argmax);

// From what the forward pass gave. dx and dbias: null where nobody wants them. Sums over fixed chunks, in order.
void conv_pool_backward(Stream& stream, const ConvPoolProblem& problem, ConstView x, ConstView weight, ConstView z,
                        ConstView argmax, ConstView dz, View dx, View dweight, View dbias);

// Forward: the convolution; x and weight read, z and argmax written. Backward: both gradients of the convolution.
constexpr Cost conv_pool_forward_cost(const ConvPoolProblem& p, int64_t element_size) {
  const Conv2dProblem& c = p.conv;
  const int64_t pooled = c.n * p.pool_rows.output(c.h_out()) * p.pool_columns.output(c.w_out()) * c.o;
  return {conv2d_cost(c, element_size).flops,
          (c.n * c.h * c.w * c.c + c.taps() * c.c * c.o + pooled) * element_size + pooled * 4};
}
constexpr Cost conv_pool_backward_cost(const ConvPoolProblem& p, int64_t element_size) {
  const Conv2dProblem& c = p.conv;
  const int64_t pooled = c.n * p.pool_rows.output(c.h_out()) * p.pool_columns.output(c.w_out()) * c.o;
  return {2 * conv2d_cost(c, element_size).flops,
          (2 * c.n * c.h * c.w * c.c + 2 * c.taps() * c.c * c.o + 2 * pooled) * element_size + pooled * 4};
}

struct ConvPoolFunctions {
  bool (*applies)(const ConvPoolProblem&);
  decltype(&conv_pool_forward) forward;
  decltype(&conv_pool_backward) backward;
};

}  // namespace melgrad
