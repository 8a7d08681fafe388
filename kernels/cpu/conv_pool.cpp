// Which way conv_pool.h's operations go on the CPU:
//   direct    all in one, both ways (direct_conv.h)
//   winograd  without a pool, bias and ReLU as y is stored. With one, the fused blocks of Winograd's tiles (conv_block.h)
//             with a norm that changes nothing where nobody asks for winners; else the convolution into scratch and its
//             pool behind it, and backward likewise: y and its gradient live no longer than the call
// f64 runs the reference.
#include <vector>

#include "kernels/bias.h"
#include "kernels/cpu/conv_block.h"
#include "kernels/cpu/direct_conv.h"
#include "kernels/max_pool2d.h"
#include "kernels/norm_pool.h"
#include "kernels/reference/conv_pool.h"

namespace melgrad::cpu {
namespace {

// Tiles where they are `automatic` for the convolution by itself, else direct where it suits.
bool runs_in_tiles(const ConvPoolProblem& problem) {
  const ConvAlgorithm algorithm = conv2d_automatic(Device::cpu, problem.conv);
  return algorithm == ConvAlgorithm::winograd_f4 || algorithm == ConvAlgorithm::winograd_f6;
}

bool applies(const ConvPoolProblem& problem) {
  return problem.conv.groups == 1 && never_decreases(problem.activation.function) && problem.pool_rows.dilation == 1 &&
         problem.pool_columns.dilation == 1 && (runs_in_tiles(problem) || direct_suits(problem.conv));
}

// A view of scratch memory.
struct Scratch2d {
  Buffer buffer;
  View view;
  Scratch2d(Stream& stream, const Shape& shape, DType dtype)
      : buffer(stream.workspace(shape.numel() * size_of(dtype))), view{buffer.data(), shape, dtype} {}
};

void forward_in_tiles(Stream& stream, const ConvPoolProblem& problem, ConstView x, ConstView weight, ConstView bias,
                      View z, View argmax) {
  const BlockProblem block =
      as_one_row(BlockProblem{problem.conv, problem.pool_rows, problem.pool_columns, 0, problem.activation});
  const Pool2dProblem pool = problem.pool();
  const float* shift = bias.data == nullptr ? nullptr : bias.as<float>();
  if (!problem.pools()) {
    const bool relu = problem.activation.function == Activation::relu;
    const int outputs = conv2d_automatic(Device::cpu, problem.conv) == ConvAlgorithm::winograd_f4 ? 4 : 6;
    winograd_forward(stream, problem.conv, outputs, x.as<float>(), weight.as<float>(), z.as<float>(),
                     relu ? WinogradFinish{shift, 0.0f} : WinogradFinish{shift});
    if (!relu) activation_forward(stream, problem.activation, z, z);
    return;
  }
  if (argmax.data == nullptr && norm_pool_applies(pool) && problem.conv.n > 0) {
    const std::vector<float> ones(static_cast<std::size_t>(pool.c), 1.0f), zeros(ones.size(), 0.0f);
    const Scratch2d folded(stream, {block_folded_size(block)}, DType::f32);
    block_fold(stream, block, weight.as<float>(), ones.data(), shift == nullptr ? zeros.data() : shift, zeros.data(),
               ones.data(), folded.view.as<float>());
    return block_infer(stream, block, {x}, folded.view.as<float>(), z.as<float>());
  }
  const Scratch2d y(stream, pool.x_shape(), DType::f32);
  const Scratch2d winners(stream, argmax.data == nullptr ? z.shape : Shape{0}, DType::i32);
  conv2d_forward(stream, problem.conv, x, weight, y.view);
  max_pool2d_forward(stream, pool, y.view, z, argmax.data == nullptr ? winners.view : argmax);
  if (bias.data != nullptr) bias_forward(stream, z, bias, z);  // the same for all of a window
  activation_forward(stream, problem.activation, z, z);
}

void backward_in_tiles(Stream& stream, const ConvPoolProblem& problem, ConstView x, ConstView weight, ConstView z,
                       ConstView argmax, ConstView dz, View dx, View dweight, View dbias) {
  const Scratch2d passed(stream, dz.shape, DType::f32);
  activation_backward(stream, problem.activation, z, dz, passed.view);
  if (dbias.data != nullptr) bias_backward(stream, passed.view, dbias);  // each of its numbers stands in dy once
  const Scratch2d spread(stream, problem.pools() ? problem.conv.y_shape() : Shape{0}, DType::f32);
  if (problem.pools()) max_pool2d_backward(stream, problem.pool(), passed.view, argmax, spread.view);
  const ConstView dy = problem.pools() ? spread.view : passed.view;
  if (dx.data != nullptr) conv2d_backward_data(stream, problem.conv, dy, weight, dx);
  conv2d_backward_weight(stream, problem.conv, dy, x, dweight);
}

void forward(Stream& stream, const ConvPoolProblem& problem, ConstView x, ConstView weight, ConstView bias, View z,
             View argmax) {
  if (x.dtype == DType::f64) return reference::conv_pool_forward<double>(problem, x, weight, bias, z, argmax);
  if (runs_in_tiles(problem)) return forward_in_tiles(stream, problem, x, weight, bias, z, argmax);
  direct_forward(stream, problem, x.as<float>(), weight.as<float>(), bias.data == nullptr ? nullptr : bias.as<float>(),
                 z.as<float>(), argmax.data == nullptr ? nullptr : argmax.as<int32_t>());
}

void backward(Stream& stream, const ConvPoolProblem& problem, ConstView x, ConstView weight, ConstView z,
              ConstView argmax, ConstView dz, View dx, View dweight, View dbias) {
  if (x.dtype == DType::f64)
    return reference::conv_pool_backward<double>(problem, x, weight, z, argmax, dz, dx, dweight, dbias);
  if (runs_in_tiles(problem)) return backward_in_tiles(stream, problem, x, weight, z, argmax, dz, dx, dweight, dbias);
  direct_backward(stream, problem, x.as<float>(), weight.as<float>(), z.as<float>(),
                  argmax.data == nullptr ? nullptr : argmax.as<int32_t>(), dz.as<float>(),
                  dx.data == nullptr ? nullptr : dx.as<float>(), dweight.as<float>(),
                  dbias.data == nullptr ? nullptr : dbias.as<float>());
}

}  // namespace

extern const ConvPoolFunctions conv_pool_functions;
const ConvPoolFunctions conv_pool_functions{applies, forward, backward};

}  // namespace melgrad::cpu
