// The definition of conv_block.h: the pending norm applied or the first block computed, the convolution, the block, one after the other.
#pragma once

#include <vector>

#include "kernels/conv_block.h"
#include "kernels/reference/block.h"
#include "kernels/reference/conv2d.h"
#include "kernels/reference/first_block.h"

namespace melgrad::reference {

template <class T>
std::vector<T> applied(const BlockInput& x) {
  if (x.first != nullptr) {
    const FirstBlockInput& f = *x.first;
    const Shape shape = f.problem.pool().y_shape();
    std::vector<T> z(static_cast<std::size_t>(shape.numel()));
    first_block_forward<T>(f.problem, x.values, f.weight, f.gamma, f.beta, f.mean, f.variance,
                           {z.data(), shape, dtype_of<T>});
    return z;
  }
  const T* values = x.values.as<T>();
  std::vector<T> result(values, values + x.values.numel());
  if (x.norm == nullptr) return result;
  const int64_t channels = x.norm->center.numel();
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto c = static_cast<int64_t>(i) % channels;
    result[i] = block_activate(x.norm->activation, x.norm->scale.as<T>()[c] * (result[i] - x.norm->center.as<T>()[c]) +
                                                       x.norm->shift.as<T>()[c]);
  }
  return result;
}

template <class T>
void conv_block_forward(const BlockProblem& problem, const BlockInput& x, ConstView weight, ConstView gamma,
                        ConstView beta, View y, View pooled, View argmax, View mean, View variance, View scale,
                        View shift) {
  const std::vector<T> in = applied<T>(x);
  conv2d_forward<T>(problem.conv, {in.data(), problem.conv.x_shape(), dtype_of<T>}, weight, y);
  block_statistics(problem, y.as<T>(), mean.as<T>(), variance.as<T>());
  for (int64_t c = 0; c < problem.conv.o; ++c) {
    scale.as<T>()[c] = block_scale(problem, gamma.as<T>()[c], variance.as<T>()[c]);
    shift.as<T>()[c] = beta.as<T>()[c];
    for_each_winner(problem, y.as<T>(), gamma.as<T>()[c], c, [&](int64_t at, int64_t winner, int64_t place) {
      pooled.as<T>()[at] = y.as<T>()[winner];
      argmax.as<uint8_t>()[at] = static_cast<uint8_t>(place);
    });
  }
}

template <class T>
void conv_block_backward(const BlockProblem& problem, const BlockInput& x, ConstView weight, ConstView gamma,
                         const BlockState& state, ConstView dz, View dx, View dweight, View dgamma, View dbeta) {
  const std::vector<T> in = applied<T>(x);
  std::vector<T> dy(static_cast<std::size_t>(state.y.numel()));
  block_backward(problem, state.y.as<T>(), gamma.as<T>(), state.shift.as<T>(), state.mean.as<T>(),
                 state.variance.as<T>(), dz.as<T>(), dy.data(), dgamma.as<T>(), dbeta.as<T>());
  const ConstView gradient{dy.data(), state.y.shape, dtype_of<T>};
  conv2d_backward_weight<T>(problem.conv, gradient, {in.data(), problem.conv.x_shape(), dtype_of<T>}, dweight);
  if (dx.data != nullptr) conv2d_backward_data<T>(problem.conv, gradient, weight, dx);
}

template <class T>
void conv_block_infer(const BlockProblem& problem, const BlockInput& x, ConstView weight, ConstView gamma,
                      ConstView beta, ConstView mean, ConstView variance, View z) {
  const std::vector<T> in = applied<T>(x);
  std::vector<T> y(static_cast<std::size_t>(problem.conv.y_shape().numel()));
  conv2d_forward<T>(problem.conv, {in.data(), problem.conv.x_shape(), dtype_of<T>}, weight,
                    {y.data(), problem.conv.y_shape(), dtype_of<T>});
  block_normalise(problem, y.data(), gamma.as<T>(), beta.as<T>(), mean.as<T>(), variance.as<T>(), z.as<T>());
}

}  // namespace melgrad::reference
