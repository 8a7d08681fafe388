// Which blocks are fused on the CPU, and f64, which runs the reference.
#include "kernels/cpu/conv_block.h"

#include "kernels/reference/conv_block.h"

namespace melgrad::cpu {
namespace {

// As for a convolution by itself (kernels/cpu/conv2d.cpp), below 16 channels a tile's transforms cost as much as its
// products. Both gradients are cut into one set of blocks, so y has as many rows as x.
bool applies(const BlockProblem& problem) {
  const BlockProblem b = as_one_row(problem);
  return winograd_applies(b.conv) && b.conv.columns.size == 3 && std::min(b.conv.c, b.conv.o) >= 16 &&
         b.conv.h_out() == b.conv.h && b.conv.w_out() >= 3;
}

// A signal turned on its side: one row, so that nothing is computed again for the rows around a block.
bool reads_first(const BlockProblem& problem, const BlockProblem& first) {
  const BlockProblem b = as_one_row(problem), f = as_one_row(first);
  return b.conv.h == 1 && b.conv.rows.size == 1 && f.conv.h == 1 && f.conv.rows.size == 1 && f.pool_rows.size == 1 &&
         f.conv.taps() <= most_read_taps && f.conv.taps() * f.pool_columns.size <= most_read_products;
}

void forward(Stream& stream, const BlockProblem& problem, const BlockInput& x, ConstView weight, ConstView gamma,
             ConstView beta, View y, View pooled, View argmax, View mean, View variance, View scale, View shift) {
  if (y.dtype == DType::f64) {
    return reference::conv_block_forward<double>(problem, x, weight, gamma, beta, y, pooled, argmax, mean, variance,
                                                 scale, shift);
  }
  block_forward(stream, as_one_row(problem), x, weight.as<float>(), gamma.as<float>(), beta.as<float>(), y.as<float>(),
                pooled.as<float>(), argmax.as<uint8_t>(), mean.as<float>(), variance.as<float>(), scale.as<float>(),
                shift.as<float>());
}

void backward(Stream& stream, const BlockProblem& problem, const BlockInput& x, ConstView weight, ConstView gamma,
              const BlockState& state, ConstView dz, View dx, View dweight, View dgamma, View dbeta) {
  if (dz.dtype == DType::f64)
    return reference::conv_block_backward<double>(problem, x, weight, gamma, state, dz, dx, dweight, dgamma, dbeta);
  block_backward(stream, as_one_row(problem), x, weight.as<float>(), gamma.as<float>(), state, dz.as<float>(),
                 dx.data == nullptr ? nullptr : dx.as<float>(), dweight.as<float>(), dgamma.as<float>(),
                 dbeta.as<float>());
}

// In f64 `folded` is the layers' arrays one after another.
struct Unfolded {
  ConstView weight, gamma, beta, mean, variance;

  Unfolded(const Conv2dProblem& p, const double* from)
      : weight{from, p.weight_shape(), DType::f64}, gamma{from + weight.numel(), {p.o}, DType::f64} {
    beta = mean = variance = gamma;
    const double* next = gamma.as<double>();
    for (ConstView* view : {&beta, &mean, &variance}) view->data = next += p.o;
  }
};

int64_t folded_size(const BlockProblem& problem) {
  return std::max(block_folded_size(as_one_row(problem)), problem.conv.weight_shape().numel() + 4 * problem.conv.o);
}

void fold(Stream& stream, const BlockProblem& problem, ConstView weight, ConstView gamma, ConstView beta,
          ConstView mean, ConstView variance, View folded) {
  if (folded.dtype == DType::f64) {
    double* to = folded.as<double>();
    for (const ConstView& view : {weight, gamma, beta, mean, variance})
      to = std::copy_n(view.as<double>(), view.numel(), to);
    std::fill(to, folded.as<double>() + folded.numel(), 0.0);
    return;
  }
  block_fold(stream, as_one_row(problem), weight.as<float>(), gamma.as<float>(), beta.as<float>(), mean.as<float>(),
             variance.as<float>(), folded.as<float>());
}

void infer(Stream& stream, const BlockProblem& problem, const BlockInput& x, ConstView folded, View z) {
  if (z.dtype == DType::f64) {
    const Unfolded layers(problem.conv, folded.as<double>());
    return reference::conv_block_infer<double>(problem, x, layers.weight, layers.gamma, layers.beta, layers.mean,
                                               layers.variance, z);
  }
  block_infer(stream, as_one_row(problem), x, folded.as<float>(), z.as<float>());
}

}  // namespace

extern const ConvBlockFunctions conv_block_functions;
const ConvBlockFunctions conv_block_functions{applies, reads_first, forward, backward, folded_size, fold, infer};

}  // namespace melgrad::cpu
