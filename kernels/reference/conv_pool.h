// The definition of conv_pool.h: convolution, bias, max pool and activation, one after the other.
#pragma once

#include <vector>

#include "kernels/conv_pool.h"
#include "kernels/reference/activation.h"
#include "kernels/reference/conv2d.h"
#include "kernels/reference/max_pool2d.h"

namespace melgrad::reference {

template <class T>
void conv_pool_forward(const ConvPoolProblem& problem, ConstView x, ConstView weight, ConstView bias, View z,
                       View argmax) {
  std::vector<T> y(static_cast<std::size_t>(problem.conv.y_shape().numel()));
  const View y_view{y.data(), problem.conv.y_shape(), dtype_of<T>};
  conv2d_forward<T>(problem.conv, x, weight, y_view);
  const auto channels = static_cast<std::size_t>(problem.conv.o);
  for (std::size_t i = 0; bias.data != nullptr && i < y.size(); ++i) y[i] += bias.as<T>()[i % channels];
  std::vector<int32_t> winners(argmax.data == nullptr ? static_cast<std::size_t>(z.numel()) : 0);
  if (argmax.data == nullptr) argmax = {winners.data(), z.shape, DType::i32};
  max_pool2d_forward<T>(problem.pool(), y_view, z, argmax);
  activation_forward<T>(problem.activation, z, z);
}

template <class T>
void conv_pool_backward(const ConvPoolProblem& problem, ConstView x, ConstView weight, ConstView z, ConstView argmax,
                        ConstView dz, View dx, View dweight, View dbias) {
  std::vector<T> passed(static_cast<std::size_t>(dz.numel()));
  const View passed_view{passed.data(), dz.shape, dtype_of<T>};
  activation_backward<T>(problem.activation, z, dz, passed_view);
  std::vector<T> dy(static_cast<std::size_t>(problem.conv.y_shape().numel()));
  const View dy_view{dy.data(), problem.conv.y_shape(), dtype_of<T>};
  if (problem.pools())
    max_pool2d_backward<T>(problem.pool(), passed_view, argmax, dy_view);
  else
    dy = passed;
  const ConstView gradient{dy.data(), problem.conv.y_shape(), dtype_of<T>};
  if (dx.data != nullptr) conv2d_backward_data<T>(problem.conv, gradient, weight, dx);
  conv2d_backward_weight<T>(problem.conv, gradient, x, dweight);
  if (dbias.data == nullptr) return;
  std::fill_n(dbias.as<T>(), dbias.numel(), T{0});
  for (std::size_t i = 0; i < dy.size(); ++i) dbias.as<T>()[i % static_cast<std::size_t>(problem.conv.o)] += dy[i];
}

}  // namespace melgrad::reference
