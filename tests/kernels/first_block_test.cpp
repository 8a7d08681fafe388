#include "kernels/first_block.h"

#include <doctest/doctest.h>

#include <cmath>

#include "kernels/reference/first_block.h"
#include "tests/kernels/gradient_check.h"

namespace melgrad {
namespace {

using test::FillFunction;
using test::Inputs;
using test::OperationCase;
using test::Outputs;

Window same(int64_t size, int64_t stride, int64_t length) {
  return padded({.size = size, .stride = stride}, Padding::same, length);
}

BlockProblem signal_block(int64_t n, int64_t l, int64_t o, Window window, int64_t pool, ActivationChoice f) {
  return {.conv = {.n = n, .h = l, .w = 1, .c = 1, .o = o, .rows = window, .columns = {}},
          .pool_rows = {.size = pool, .stride = pool},
          .pool_columns = {},
          .activation = f};
}

BlockProblem image_block(int64_t n, int64_t h, int64_t w, int64_t o, std::pair<int64_t, int64_t> kernel,
                         std::pair<int64_t, int64_t> pool, ActivationChoice f) {
  return {.conv = {n, h, w, 1, o, same(kernel.first, 1, h), same(kernel.second, 1, w)},
          .pool_rows = {.size = pool.first, .stride = pool.first},
          .pool_columns = {.size = pool.second, .stride = pool.second},
          .activation = f};
}

const std::vector<BlockProblem>& problems() {
  static const std::vector<BlockProblem> all{
      signal_block(2, 59, 5, same(3, 1, 59), 3, Activation::relu),  // SampleCNN's, a rest left over
      signal_block(1, 1, 1, {}, 1, Activation::linear),
      signal_block(2, 331, 33, {.size = 3, .stride = 3}, 1, Activation::relu),        // the strided one's, no pool
      signal_block(1, 2063, 17, same(3, 1, 2063), 3, {Activation::leaky_relu, 0.1}),  // many pieces
      signal_block(3, 40, 7, {.size = 5, .stride = 2, .dilation = 2, .pad_before = 3}, 2, Activation::relu),
      image_block(2, 7, 23, 32, {3, 3}, {2, 4}, Activation::elu),    // Choi's
      image_block(1, 13, 11, 48, {4, 4}, {1, 1}, Activation::relu),  // GTZAN's
      image_block(2, 9, 9, 3, {2, 2}, {3, 2}, {Activation::elu, 0.5})};
  return all;
}

std::string describe(const BlockProblem& p) {
  return fmt::format(" {} by {}x{} to {}, pool {}x{}, {}", p.conv.x_shape().to_string(), p.conv.rows.size,
                     p.conv.columns.size, p.conv.o, p.pool_rows.size, p.pool_columns.size,
                     name_of(p.activation.function));
}

// Kinds of x: what a network sees; far from zero; few values, so that windows hold ties; constant pieces.
constexpr int kinds = 4;
FillFunction values_of_kind(int kind) {
  return [kind](Generator& random, bool) {
    if (kind == 1) return 1e3 + random.normal();
    if (kind == 2) return std::round(random.normal());
    return kind == 3 ? 0.25 : random.normal();
  };
}
// Weights that few values of x give sums with ties.
FillFunction weights_of_kind(int kind) {
  return [kind](Generator& random, bool) { return kind < 2 ? random.normal() : std::round(2 * random.normal()); };
}
FillFunction gamma_of_kind(int kind) {
  return [kind](Generator& random, bool) { return kind == 3 && random.below(2) == 0 ? 0.0 : random.normal(); };
}

// Σ|w x| at its largest, for each channel.
std::vector<double> largest_sums(const BlockProblem& p, ConstView x, ConstView weight) {
  std::vector<double> ax(x.as<double>(), x.as<double>() + x.numel()),
      aw(weight.as<double>(), weight.as<double>() + weight.numel());
  for (double& value : ax) value = std::abs(value);
  for (double& value : aw) value = std::abs(value);
  const std::vector<double> y =
      reference::convolved<double>(p.conv, {ax.data(), x.shape, DType::f64}, {aw.data(), weight.shape, DType::f64});
  std::vector<double> largest(static_cast<std::size_t>(p.conv.o));
  for (std::size_t i = 0; i < y.size(); ++i) largest[i % largest.size()] = std::max(largest[i % largest.size()], y[i]);
  return largest;
}

TEST_CASE("first_block_statistics: mean and variance from the moments of patches, also far from zero") {
  for (const BlockProblem& p : problems())
    for (int kind = 0; kind < kinds; ++kind) {
      OperationCase statistics;
      statistics.name = fmt::format("first_block_statistics{} kind {}", describe(p), kind);
      statistics.inputs = {{p.conv.x_shape(), values_of_kind(kind)}, {p.conv.weight_shape(), weights_of_kind(kind)}};
      statistics.outputs = {{{p.conv.o}}, {{p.conv.o}}, {first_block_moments_shape(p), DType::f64}};
      statistics.run = [=](Stream& stream, Inputs in, Outputs out) {
        first_block_statistics(stream, p, in[0], in[1], out[0], out[1], out[2]);
      };
      statistics.reference = [=](Inputs in, Outputs out) {
        reference::first_block_statistics<double>(p, in[0], in[1], out[0], out[1], out[2]);
      };
      // All is summed in f64: what f64 loses of squares around 1e6, and the rounding of the result.
      statistics.magnitude = [=](Inputs in, Outputs out) {
        const std::vector<double> largest = largest_sums(p, in[0], in[1]);
        for (int64_t c = 0; c < p.conv.o; ++c) {
          out[0].as<double>()[c] = 1e-8 * largest[c];
          out[1].as<double>()[c] = 1e-8 * largest[c] * largest[c];
        }
        for (int64_t i = 0; i < out[2].numel(); ++i) out[2].as<double>()[i] = kind == 1 ? 1e-2 : 1e-8;
      };
      test::check(statistics);
    }
}

TEST_CASE("first_block_forward agrees with the reference") {
  std::vector<BlockProblem> all = problems();
  all.push_back(signal_block(0, 9, 2, same(3, 1, 9), 3, Activation::relu));
  for (const BlockProblem& p : all)
    for (int kind = 0; kind < kinds; ++kind) {
      const Shape c{p.conv.o};
      OperationCase forward;
      forward.name = fmt::format("first_block_forward{} kind {}", describe(p), kind);
      forward.inputs = {{p.conv.x_shape(), values_of_kind(kind)},
                        {p.conv.weight_shape(), weights_of_kind(kind)},
                        {c, gamma_of_kind(kind)},
                        {c},
                        {c},
                        {c, test::positive_values()}};
      forward.outputs = {{p.pool().y_shape()}};
      forward.run = [=](Stream& stream, Inputs in, Outputs out) {
        first_block_forward(stream, p, in[0], in[1], in[2], in[3], in[4], in[5], out[0]);
      };
      forward.reference = [=](Inputs in, Outputs out) {
        reference::first_block_forward<double>(p, in[0], in[1], in[2], in[3], in[4], in[5], out[0]);
      };
      forward.magnitude = [=](Inputs in, Outputs out) {
        const std::vector<double> largest = largest_sums(p, in[0], in[1]);
        for (int64_t i = 0; i < out[0].numel(); ++i) {
          const int64_t at = i % p.conv.o;
          const double scale = std::abs(reference::block_scale(p, in[2].as<double>()[at], in[5].as<double>()[at]));
          out[0].as<double>()[i] =
              scale * (largest[at] + std::abs(in[4].as<double>()[at])) + std::abs(in[3].as<double>()[at]);
        }
      };
      forward.reduction_length = p.conv.taps() + 2;
      test::check(forward);
    }
}

// The batch's statistics and moments in f64, as views of the run's type.
struct Batch {
  std::vector<double> mean, variance, moments;
  Batch(const BlockProblem& p, ConstView x, ConstView weight)
      : mean(static_cast<std::size_t>(p.conv.o)),
        variance(mean),
        moments(static_cast<std::size_t>(first_block_moments_shape(p).numel())) {
    const Shape c{p.conv.o};
    reference::first_block_statistics<double>(p, x, weight, {mean.data(), c, DType::f64},
                                              {variance.data(), c, DType::f64},
                                              {moments.data(), first_block_moments_shape(p), DType::f64});
  }
};

void run_both(Stream& stream, const BlockProblem& p, Inputs in, Outputs out) {
  const Shape c{p.conv.o}, of_moments = first_block_moments_shape(p);
  std::vector<Buffer> buffers;
  const auto view = [&](const Shape& shape, DType dtype) {
    buffers.push_back(stream.workspace(shape.numel() * size_of(dtype)));
    return View{buffers.back().data(), shape, dtype, stream.device()};
  };
  const View mean = view(c, in[0].dtype), variance = view(c, in[0].dtype), moments = view(of_moments, DType::f64);
  first_block_statistics(stream, p, in[0], in[1], mean, variance, moments);
  first_block_backward(stream, p, in[0], in[1], in[2], in[3], mean, variance, moments, in[4],
                       out.size() > 3 ? out[3] : View{}, out[0], out[1], out[2]);
}

void reference_both(const BlockProblem& p, Inputs in, Outputs out) {
  Batch batch(p, in[0], in[1]);
  const Shape c{p.conv.o};
  reference::first_block_backward<double>(p, in[0], in[1], in[2], in[3], {batch.mean.data(), c, DType::f64},
                                          {batch.variance.data(), c, DType::f64}, in[4],
                                          out.size() > 3 ? out[3] : View{}, out[0], out[1], out[2]);
}

// Σ|terms| of each element of dx: the convolution's data gradient of |w| and the most that |dy| can be. Where y is nearer to
// a window's winner, or z to the activation's bend, than rounding tells apart, the gradient may go either way: all of it.
void data_magnitude(const BlockProblem& p, Inputs in, const Batch& batch, const std::vector<double>& largest, View dx) {
  constexpr double rounding = 16 * 1.2e-7;  // what check() multiplies magnitudes by
  const Shape y_shape = p.conv.y_shape();
  std::vector<double> weight(in[1].as<double>(), in[1].as<double>() + in[1].numel());
  for (double& value : weight) value = std::abs(value);
  const std::vector<double> y = reference::convolved<double>(p.conv, in[0], in[1]);
  std::vector<double> dy(y.size());
  for (int64_t c = 0; c < p.conv.o; ++c) {
    const double error = rounding * (largest[c] + std::abs(batch.mean[c])),
                 deviation = std::sqrt(batch.variance[c] + p.epsilon),
                 spread = (largest[c] + std::abs(batch.mean[c])) / deviation, gamma = in[2].as<double>()[c];
    const double scale = std::abs(gamma) / deviation;
    double sum = 0;
    for (int64_t i = c; i < in[4].numel(); i += p.conv.o) sum += std::abs(in[4].as<double>()[i]);
    const double dense = sum / static_cast<double>(p.positions()) * (1 + spread * spread);
    for (int64_t at = c; at < y_shape.numel(); at += p.conv.o) dy[at] = scale * dense;
    reference::for_each_winner(p, y.data(), gamma, c, [&](int64_t z, int64_t winner, int64_t place) {
      const double bend = gamma / deviation * (y[winner] - batch.mean[c]) + in[3].as<double>()[c];
      const double g = scale * std::abs(in[4].as<double>()[z]);
      const int64_t first =
          winner - (place / p.pool_columns.size * p.conv.w_out() + place % p.pool_columns.size) * p.conv.o;
      for (int64_t tap = 0; tap < p.pool_rows.size * p.pool_columns.size; ++tap) {
        const int64_t at = first + (tap / p.pool_columns.size * p.conv.w_out() + tap % p.pool_columns.size) * p.conv.o;
        const double behind = std::abs(y[at] - y[winner]);
        const bool either =
            (at != winner && behind > 0 && behind <= error) || (at == winner && std::abs(bend) <= scale * error);
        dy[at] += either ? g / rounding : g;
        if (either && at != winner) dy[winner] += g / rounding;
      }
    });
  }
  reference::conv2d_backward_data<double>(p.conv, {dy.data(), y_shape, DType::f64},
                                          {weight.data(), p.conv.weight_shape(), DType::f64}, dx);
}

// Σ|terms|, with the error of y in units of its deviation where y stands in a product.
void backward_magnitude(const BlockProblem& p, Inputs in, Outputs out) {
  const Batch batch(p, in[0], in[1]);
  const std::vector<double> largest = largest_sums(p, in[0], in[1]);
  double x_largest = 0;
  for (int64_t i = 0; i < in[0].numel(); ++i) x_largest = std::max(x_largest, std::abs(in[0].as<double>()[i]));
  for (int64_t c = 0; c < p.conv.o; ++c) {
    double sum = 0;
    for (int64_t i = c; i < in[4].numel(); i += p.conv.o) sum += std::abs(in[4].as<double>()[i]);
    const double deviation = std::sqrt(batch.variance[c] + p.epsilon),
                 spread = (largest[c] + std::abs(batch.mean[c])) / deviation;
    const double scale = std::abs(in[2].as<double>()[c]) / deviation;
    for (int64_t k = 0; k < p.conv.taps(); ++k)
      out[0].as<double>()[k * p.conv.o + c] = scale * sum * x_largest * (1 + spread * spread);
    out[1].as<double>()[c] = spread * sum;
    out[2].as<double>()[c] = sum;
  }
  if (out.size() > 3) data_magnitude(p, in, batch, largest, out[3]);
}

TEST_CASE("first_block_backward agrees with the reference") {
  for (const BlockProblem& p : problems())
    for (int kind = 0; kind < kinds; ++kind) {
      const Shape c{p.conv.o};
      OperationCase both;
      both.name = fmt::format("first_block_backward{} kind {}", describe(p), kind);
      both.inputs = {{p.conv.x_shape(), values_of_kind(kind)},
                     {p.conv.weight_shape(), weights_of_kind(kind)},
                     {c, gamma_of_kind(kind)},
                     {c},
                     {p.pool().y_shape()}};
      both.outputs = {{p.conv.weight_shape()}, {c}, {c}, {p.conv.x_shape()}};
      both.run = [=](Stream& stream, Inputs in, Outputs out) { run_both(stream, p, in, out); };
      both.reference = [=](Inputs in, Outputs out) { reference_both(p, in, out); };
      both.magnitude = [=](Inputs in, Outputs out) { backward_magnitude(p, in, out); };
      both.reduction_length = 16;
      test::check(both);
    }
}

TEST_CASE("first_block: gradients") {
  for (const BlockProblem& p : problems()) {
    if (p.conv.x_shape().numel() > 400 || p.conv.x_shape().numel() == 1) continue;
    const Shape c{p.conv.o};
    test::GradientCase gradient;
    gradient.name = "first_block" + describe(p);
    gradient.proves = {"first_block_backward"};
    gradient.inputs = {{p.conv.weight_shape()}, {c}, {c}, {p.conv.x_shape()}};
    gradient.outputs = {{p.pool().y_shape()}, {c}, {c}, {first_block_moments_shape(p), DType::f64}};
    gradient.forward = [=](Stream& stream, Inputs in, Outputs out) {
      first_block_statistics(stream, p, in[3], in[0], out[1], out[2], out[3]);
      first_block_forward(stream, p, in[3], in[0], in[1], in[2], out[1], out[2], out[0]);
    };
    gradient.backward = [=](Stream& stream, Inputs in, Outputs out, ConstView dz, Outputs gradients) {
      first_block_backward(stream, p, in[3], in[0], in[1], in[2], out[1], out[2], out[3], dz, gradients[3],
                           gradients[0], gradients[1], gradients[2]);
    };
    test::check_gradient(gradient);
  }
}

// Σ w over a slow wave cancels to a thousandth of its terms: f32 moments would have no digit of this variance.
TEST_CASE("first_block_statistics: a second difference of a slow wave") {
  BlockProblem p = signal_block(1, 4096, 1, {.size = 3}, 1, Activation::relu);
  std::vector<float> x(4096), w{1, -2, 1};
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(std::sin(0.02 * static_cast<double>(i)));
  double expected = 0, average = 0;
  const auto y = [&](std::size_t i) {
    return static_cast<double>(x[i]) - 2 * static_cast<double>(x[i + 1]) + static_cast<double>(x[i + 2]);
  };
  for (std::size_t i = 0; i < 4094; ++i) average += y(i) / 4094;
  for (std::size_t i = 0; i < 4094; ++i) expected += (y(i) - average) * (y(i) - average) / 4094;
  float mean = 0, variance = 0;
  std::vector<double> moments(12);
  Stream stream(Device::cpu);
  first_block_statistics(stream, p, {x.data(), p.conv.x_shape()}, {w.data(), p.conv.weight_shape()}, {&mean, {1}},
                         {&variance, {1}}, {moments.data(), {4, 3}, DType::f64});
  CHECK(static_cast<double>(variance) == doctest::Approx(expected).epsilon(1e-6));
}

TEST_CASE("first_block: errors and cost") {
  BlockProblem p = signal_block(1, 9, 2, same(3, 1, 9), 3, Activation::relu);
  CHECK(first_block_applies(p));
  CHECK(first_block_forward_cost(p, 4) == Cost{2 * 9 * 2 * 3 + 3 * 6, (9 + 6) * 4});
  CHECK(first_block_backward_cost(p, 4) == Cost{2 * (18 + 6) * 3, (9 + 6) * 4});
  p.activation = Activation::tanh;
  CHECK_FALSE(first_block_applies(p));
  float x[9] = {}, w[6] = {}, c[2] = {}, z[6];
  Stream stream(Device::cpu);
  CHECK_THROWS_WITH_AS(first_block_forward(stream, p, {x, {1, 9, 1, 1}}, {w, {3, 1, 1, 2}}, {c, {2}}, {c, {2}},
                                           {c, {2}}, {c, {2}}, {z, {1, 3, 1, 2}}),
                       "first_block_forward: 1 input channels, 3 taps, pool windows 3x1 of stride 3x1, tanh; expected "
                       "1 channel, at most 16 "
                       "taps, windows without overlap or padding and a function that never decreases",
                       Error);
}

}  // namespace
}  // namespace melgrad
