// The blocks that the tests of kernels/conv_block.h run, and the bounds of their errors.
#pragma once

#include <cmath>

#include "kernels/conv_block.h"
#include "kernels/cpu/conv_block.h"
#include "kernels/reference/conv2d.h"
#include "kernels/reference/winograd.h"

namespace melgrad::test::conv_block {

using reference::WinogradDirection;

inline Window pool_of(int64_t size) {
  return {.size = size, .stride = size};
}

inline BlockProblem signal_block(int64_t n, int64_t l, int64_t c, int64_t o, int64_t pool, ActivationChoice f) {
  return {
      .conv = {.n = n, .h = l, .w = 1, .c = c, .o = o, .rows = padded({.size = 3}, Padding::same, l), .columns = {}},
      .pool_rows = pool_of(pool),
      .pool_columns = {},
      .activation = f};
}

inline BlockProblem image_block(const Shape& x, int64_t o, int64_t pool_rows, int64_t pool_columns,
                                ActivationChoice f) {
  return {.conv = {x[0], x[1], x[2], x[3], o, padded({.size = 3}, Padding::same, x[1]),
                   padded({.size = 3}, Padding::same, x[2])},
          .pool_rows = pool_of(pool_rows),
          .pool_columns = pool_of(pool_columns),
          .activation = f};
}

inline BlockProblem with_windows(BlockProblem block, const Window& rows, const Window& columns) {
  block.conv.rows = rows;
  block.conv.columns = columns;
  return block;
}

inline const std::vector<BlockProblem>& problems() {
  static const std::vector<BlockProblem> all{
      image_block({1, 5, 9, 16}, 17, 2, 4, Activation::elu),
      signal_block(2, 83, 17, 20, 3, Activation::relu),    // SampleCNN's, a rest left over
      signal_block(2, 9, 33, 34, 3, Activation::relu),     // two blocks of channels on both sides
      signal_block(2, 217, 17, 33, 3, Activation::relu),   // a block a sample, and two of outputs
      signal_block(12, 450, 16, 16, 3, Activation::relu),  // blocks by themselves, with halos
      signal_block(3, 3, 16, 48, 3, Activation::relu),     // one window, F(4, 3)
      signal_block(1, 700, 33, 16, 2, {Activation::leaky_relu, 0.1}),
      image_block({2, 13, 23, 16}, 18, 2, 4, Activation::elu),          // Choi's
      image_block({1, 2, 150, 16}, 228, 2, 3, {Activation::elu, 0.5}),  // so many channels that rows are cut in strips
      image_block({2, 4, 4, 16}, 16, 4, 4, Activation::linear),
      // The CPU has no fused form of these.
      with_windows(signal_block(1, 1, 1, 1, 1, Activation::relu), {}, {}),  // one number
      with_windows(signal_block(2, 101, 5, 33, 3, Activation::elu), {.size = 3, .stride = 3}, {}),
      with_windows(image_block({2, 14, 11, 7}, 70, 2, 3, {Activation::leaky_relu, 0.1}),
                   {.size = 2, .stride = 2, .dilation = 3, .pad_before = 2}, {.size = 3, .pad_after = 1}),
      image_block({1, 17, 16, 3}, 4, 8, 8, Activation::relu)};  // a window fills a tile of the product
  return all;
}

// In three cases each: whoever looks for a mistake begins with what takes no time.
enum class Size { small, medium, large };

inline Size size_class(const BlockProblem& p) {
  const int64_t flops = conv2d_cost(p.conv, 4).flops;
  return flops <= 1'500'000 ? Size::small : flops <= 10'000'000 ? Size::medium : Size::large;
}

// Where a fused form of the problem is there, and the fibers of simt are not too slow for it.
inline std::vector<Device> devices_of(const BlockProblem& p) {
  std::vector<Device> devices;
  if (conv_block_applies(Device::cpu, p)) devices.push_back(Device::cpu);
  if (size_class(p) != Size::large) devices.push_back(Device::simt);
  return devices;
}

inline std::vector<BlockProblem> problems(Size size) {
  std::vector<BlockProblem> some = problems();
  std::erase_if(some, [&](const BlockProblem& p) { return size_class(p) != size; });
  return some;
}

inline std::string describe(const BlockProblem& p) {
  return fmt::format(" {} to {}, pool {}x{}, {}", p.conv.x_shape().to_string(), p.conv.o, p.pool_rows.size,
                     p.pool_columns.size, name_of(p.activation.function));
}

inline void absolute_convolution(const Conv2dProblem& p, WinogradDirection direction, std::vector<double> first,
                                 std::vector<double> second, View out) {
  for (std::vector<double>* values : {&first, &second})
    for (double& value : *values) value = std::abs(value);
  const auto view = [](const std::vector<double>& values, const Shape& shape) {
    return ConstView{values.data(), shape, DType::f64};
  };
  if (direction == WinogradDirection::forward)
    reference::conv2d_forward<double>(p, view(first, p.x_shape()), view(second, p.weight_shape()), out);
  else if (direction == WinogradDirection::data)
    reference::conv2d_backward_data<double>(p, view(first, p.y_shape()), view(second, p.weight_shape()), out);
  else
    reference::conv2d_backward_weight<double>(p, view(first, p.y_shape()), view(second, p.x_shape()), out);
}

// Σ|terms|; of Winograd's algorithm, where the CPU takes it, its absolute form (kernels/reference/winograd.h).
inline std::vector<double> convolution_bound(const BlockProblem& p, WinogradDirection direction,
                                             const std::vector<double>& first, const std::vector<double>& second,
                                             const Shape& shape) {
  const Conv2dProblem c = as_one_row(p.conv);
  std::vector<double> bound(static_cast<std::size_t>(shape.numel()));
  const auto view = [](const std::vector<double>& values) {
    return ConstView{values.data(), {static_cast<int64_t>(values.size())}, DType::f64};
  };
  const View out{bound.data(), shape, DType::f64};
  if (!conv_block_applies(Device::cpu, p)) {
    absolute_convolution(p.conv, direction, first, second, out);
    return bound;
  }
  if (cpu::fewest_products(c) == 4)
    reference::winograd_conv2d<4>(c, direction, view(first), view(second), out, true);
  else
    reference::winograd_conv2d<6>(c, direction, view(first), view(second), out, true);
  return bound;
}

inline std::vector<double> values_of(ConstView view) {
  return {view.as<double>(), view.as<double>() + view.numel()};
}

// The largest of each channel.
inline std::vector<double> largest(const std::vector<double>& values, int64_t channels) {
  std::vector<double> result(static_cast<std::size_t>(channels));
  for (std::size_t i = 0; i < values.size(); ++i)
    result[i % result.size()] = std::max(result[i % result.size()], std::abs(values[i]));
  return result;
}

}  // namespace melgrad::test::conv_block
