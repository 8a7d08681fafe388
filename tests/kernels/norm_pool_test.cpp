#include "kernels/norm_pool.h"

#include <doctest/doctest.h>

#include <cmath>

#include "kernels/reference/batch_norm.h"
#include "kernels/reference/max_pool2d.h"
#include "kernels/reference/norm_pool.h"
#include "tests/kernels/gradient_check.h"

namespace melgrad {
namespace {

using test::FillFunction;
using test::Inputs;
using test::OperationCase;
using test::Outputs;

FillFunction around(double mean) {
  return [mean](Generator& random, bool) { return mean + random.normal(); };
}

// Few values, so that windows hold ties.
FillFunction few_values() {
  return [](Generator& random, bool) { return std::round(random.normal()); };
}

NormPoolProblem problem_of(const Shape& y, int64_t rows, int64_t columns, bool relu) {
  return {{y[0], y[1], y[2], y[3], {rows, rows}, {columns, columns}}, 1e-3, relu};
}

const NormPoolProblem problems[] = {
    problem_of({2, 6, 5, 3}, 2, 2, true),
    problem_of({1, 1, 1, 1}, 1, 1, true),
    problem_of({2, 81, 1, 33}, 3, 1, true),  // SampleCNN's
    problem_of({3, 8, 13, 17}, 2, 4, true),  // Choi's, columns left over
    problem_of({2, 11, 7, 5}, 4, 3, false),
    problem_of({1, 331, 5, 64}, 3, 1, true),   // several chunks, rows left over
    problem_of({2, 16, 16, 3}, 16, 16, true),  // argmax to 255
};

std::string describe(const NormPoolProblem& p) {
  return fmt::format(" {} by {}x{}{}", p.pool.x_shape().to_string(), p.pool.rows.size, p.pool.columns.size,
                     p.relu ? " relu" : "");
}

struct Forward {
  std::vector<double> z, pooled, mean, variance;
  std::vector<uint8_t> argmax;
};

// In f64, from views of f64.
Forward exact_forward(const NormPoolProblem& p, ConstView y, ConstView gamma, ConstView beta) {
  const Shape out = p.pool.y_shape(), channels{p.pool.c};
  const auto n = static_cast<std::size_t>(out.numel()), c = static_cast<std::size_t>(p.pool.c);
  Forward f{std::vector<double>(n), std::vector<double>(n), std::vector<double>(c), std::vector<double>(c),
            std::vector<uint8_t>(n)};
  reference::norm_pool_forward<double>(p, y, gamma, beta, {f.z.data(), out, DType::f64},
                                       {f.pooled.data(), out, DType::f64}, {f.argmax.data(), out, DType::u8},
                                       {f.mean.data(), channels, DType::f64},
                                       {f.variance.data(), channels, DType::f64});
  return f;
}

double spread_of(const NormPoolProblem& p, ConstView y, const Forward& f, int64_t c) {
  double spread = 0;
  for (int64_t i = 0; i < y.numel() / p.pool.c; ++i)
    spread = std::max(spread, std::abs(y.as<double>()[i * p.pool.c + c] - f.mean[c]));
  return spread;
}

// z: as for batch norm, the errors of y* - mean and of the deviation, and what the error of the mean moves.
void forward_magnitude(const NormPoolProblem& p, Inputs in, Outputs out) {
  const Forward f = exact_forward(p, in[0], in[1], in[2]);
  for (int64_t c = 0; c < p.pool.c; ++c) {
    const double spread = spread_of(p, in[0], f, c);
    const double scale = std::abs(in[1].as<double>()[c]) / std::sqrt(f.variance[c] + p.epsilon);
    for (int64_t i = c; i < out[0].numel(); i += p.pool.c) {
      out[0].as<double>()[i] = 3 * scale * spread + std::abs(in[2].as<double>()[c]);
      out[1].as<double>()[i] = 0;
      out[2].as<uint8_t>()[i] = 0;
    }
    out[3].as<double>()[c] = spread;
    out[4].as<double>()[c] = spread * spread;
  }
}

TEST_CASE("norm_pool_forward agrees with the reference, also far from zero, with ties and with gamma of 0") {
  for (const NormPoolProblem& p : problems)
    for (int kind = 0; kind < 4; ++kind) {
      const Shape y = p.pool.x_shape(), z = p.pool.y_shape(), c{p.pool.c};
      OperationCase forward;
      forward.name = fmt::format("norm_pool_forward{} kind {}", describe(p), kind);
      forward.inputs = {{y, kind == 2 ? few_values() : around(kind == 1 ? 1e4 : 0)}, {c}, {c}};
      if (kind == 3) forward.inputs[1].fill = [](Generator&, bool) { return 0.0; };
      forward.outputs = {{z}, {z}, {z, DType::u8}, {c}, {c}};
      forward.run = [=](Stream& stream, Inputs in, Outputs out) {
        norm_pool_forward(stream, p, in[0], in[1], in[2], out[0], out[1], out[2], out[3], out[4]);
      };
      forward.reference = [=](Inputs in, Outputs out) {
        reference::norm_pool_forward<double>(p, in[0], in[1], in[2], out[0], out[1], out[2], out[3], out[4]);
      };
      forward.magnitude = [=](Inputs in, Outputs out) { forward_magnitude(p, in, out); };
      forward.reduction_length = 16;
      test::check(forward);
    }
}

// Both passes: the argmax and the statistics are the forward pass's own.
void run_both(Stream& stream, const NormPoolProblem& p, Inputs in, Outputs out) {
  const Shape z = p.pool.y_shape(), c{p.pool.c};
  const DType dtype = in[0].dtype;
  std::vector<Buffer> buffers;
  const auto view = [&](const Shape& shape, DType type) {
    buffers.push_back(stream.workspace(shape.numel() * size_of(type)));
    return View{buffers.back().data(), shape, type, stream.device()};
  };
  const View value = view(z, dtype), pooled = view(z, dtype), argmax = view(z, DType::u8), mean = view(c, dtype),
             variance = view(c, dtype);
  norm_pool_forward(stream, p, in[0], in[1], in[2], value, pooled, argmax, mean, variance);
  norm_pool_backward(stream, p, in[0], in[1], in[2], mean, variance, pooled, argmax, in[3], out[0], out[1], out[2]);
}

void reference_both(const NormPoolProblem& p, Inputs in, Outputs out) {
  const Forward f = exact_forward(p, in[0], in[1], in[2]);
  const Shape z = p.pool.y_shape(), c{p.pool.c};
  reference::norm_pool_backward<double>(p, in[0], in[1], in[2], {f.mean.data(), c, DType::f64},
                                        {f.variance.data(), c, DType::f64}, {f.pooled.data(), z, DType::f64},
                                        {f.argmax.data(), z, DType::u8}, in[3], out[0], out[1], out[2]);
}

// Σ|terms|, and of dy the errors of its three.
void backward_magnitude(const NormPoolProblem& p, Inputs in, Outputs out) {
  const Forward f = exact_forward(p, in[0], in[1], in[2]);
  const int64_t outputs = p.pool.y_shape().numel() / p.pool.c, positions = in[0].numel() / p.pool.c;
  for (int64_t c = 0; c < p.pool.c; ++c) {
    const double inverse = 1 / std::sqrt(f.variance[c] + p.epsilon), spread = spread_of(p, in[0], f, c) * inverse;
    double sum = 0, largest = 0;
    for (int64_t i = 0; i < outputs; ++i) {
      sum += std::abs(in[3].as<double>()[i * p.pool.c + c]);
      largest = std::max(largest, std::abs(in[3].as<double>()[i * p.pool.c + c]));
    }
    const double scale = std::abs(in[1].as<double>()[c]) * inverse;
    for (int64_t i = 0; i < positions; ++i)
      out[0].as<double>()[i * p.pool.c + c] =
          scale * (largest + (1 + spread * spread) * sum / static_cast<double>(positions));
    out[1].as<double>()[c] = spread * sum;
    out[2].as<double>()[c] = sum;
  }
}

TEST_CASE("norm_pool_backward agrees with the reference") {
  for (const NormPoolProblem& p : problems)
    for (double mean : {0.0, 100.0}) {
      const Shape y = p.pool.x_shape(), z = p.pool.y_shape(), c{p.pool.c};
      OperationCase both;
      both.name = fmt::format("norm_pool_backward{} around {}", describe(p), mean);
      both.inputs = {{y, around(mean)}, {c}, {c}, {z}};
      both.outputs = {{y}, {c}, {c}};
      both.run = [=](Stream& stream, Inputs in, Outputs out) { run_both(stream, p, in, out); };
      both.reference = [=](Inputs in, Outputs out) { reference_both(p, in, out); };
      both.magnitude = [=](Inputs in, Outputs out) { backward_magnitude(p, in, out); };
      both.reduction_length = 16;
      test::check(both);
    }
}

TEST_CASE("norm_pool: gradients") {
  for (const NormPoolProblem& p : problems) {
    if (p.pool.x_shape().numel() > 800 || p.pool.x_shape().numel() == 1) continue;
    const Shape y = p.pool.x_shape(), z = p.pool.y_shape(), c{p.pool.c};
    test::GradientCase gradient;
    gradient.name = "norm_pool" + describe(p);
    gradient.proves = {"norm_pool_backward"};
    gradient.inputs = {{y}, {c}, {c}};
    gradient.outputs = {{z}, {z}, {z, DType::u8}, {c}, {c}};
    gradient.forward = [=](Stream& stream, Inputs in, Outputs out) {
      norm_pool_forward(stream, p, in[0], in[1], in[2], out[0], out[1], out[2], out[3], out[4]);
    };
    gradient.backward = [=](Stream& stream, Inputs in, Outputs out, ConstView dz, Outputs gradients) {
      norm_pool_backward(stream, p, in[0], in[1], in[2], out[3], out[4], out[1], out[2], dz, gradients[0], gradients[1],
                         gradients[2]);
    };
    test::check_gradient(gradient);
  }
}

// As ReLU's own gradient: 0 at 0.
TEST_CASE("norm_pool_backward: where the normalised value is exactly 0 nothing passes") {
  const NormPoolProblem p = problem_of({1, 4, 1, 1}, 2, 1, true);
  const double y[] = {1, 2, 3, 4}, zero[] = {0}, mean[] = {2.5}, variance[] = {1.25}, pooled[] = {2, 4}, dz[] = {5, 7};
  const uint8_t argmax[] = {1, 1};
  double dy[4], dgamma[1], dbeta[1];
  const Shape x = p.pool.x_shape(), z = p.pool.y_shape(), c{1};
  reference::norm_pool_backward<double>(p, {y, x, DType::f64}, {zero, c, DType::f64}, {zero, c, DType::f64},
                                        {mean, c, DType::f64}, {variance, c, DType::f64}, {pooled, z, DType::f64},
                                        {argmax, z, DType::u8}, {dz, z, DType::f64}, {dy, x, DType::f64},
                                        {dgamma, c, DType::f64}, {dbeta, c, DType::f64});
  CHECK(dbeta[0] == 0);
  CHECK(dgamma[0] == 0);
}

// The pool commutes with batch norm and ReLU: the definition against the three references one after another.
TEST_CASE("norm_pool is batch norm, ReLU and max pool") {
  const NormPoolProblem p = problem_of({2, 7, 9, 4}, 2, 3, true);
  const Shape shape = p.pool.x_shape(), out = p.pool.y_shape(), channels{4};
  Generator random(5, Draw::test);
  std::vector<double> y(static_cast<std::size_t>(shape.numel())), gamma{1.5, -0.7, 0.3, -2}, beta{0.1, -0.2, 0.5, 0};
  for (double& value : y) value = random.normal();
  const ConstView in{y.data(), shape, DType::f64}, scale{gamma.data(), channels, DType::f64},
      shift{beta.data(), channels, DType::f64};
  const Forward fused = exact_forward(p, in, scale, shift);
  std::vector<double> normal(y.size()), expected(fused.z.size()), mean(4), variance(4);
  std::vector<int32_t> argmax(fused.z.size());
  reference::batch_norm_train_forward<double>(p.epsilon, in, scale, shift, {normal.data(), shape, DType::f64},
                                              {mean.data(), channels, DType::f64},
                                              {variance.data(), channels, DType::f64});
  for (double& value : normal) value = std::max(value, 0.0);
  reference::max_pool2d_forward<double>(p.pool, {normal.data(), shape, DType::f64}, {expected.data(), out, DType::f64},
                                        {argmax.data(), out, DType::i32});
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(fused.z[i] == doctest::Approx(expected[i]).epsilon(1e-12));
}

TEST_CASE("norm_pool: errors and cost") {
  NormPoolProblem overlapping = problem_of({1, 6, 1, 1}, 3, 1, true);
  CHECK(norm_pool_applies(overlapping.pool));
  CHECK(norm_pool_forward_cost(overlapping.pool, 4) == Cost{4 * 6 + 3 * 2, (6 + 4) * 4 + 2});
  CHECK(norm_pool_backward_cost(overlapping.pool, 4) == Cost{3 * 6 + 6 * 2, (12 + 4) * 4 + 2});
  overlapping.pool.rows.stride = 2;
  CHECK_FALSE(norm_pool_applies(overlapping.pool));
  float y[6] = {}, z[2], pooled[2], gamma[1] = {}, beta[1] = {}, mean[1], variance[1];
  uint8_t argmax[2];
  Stream stream(Device::cpu);
  CHECK_THROWS_WITH_AS(
      norm_pool_forward(stream, overlapping, {y, {1, 6, 1, 1}}, {gamma, {1}}, {beta, {1}}, {z, {1, 2, 1, 1}},
                        {pooled, {1, 2, 1, 1}}, {argmax, {1, 2, 1, 1}, DType::u8}, {mean, {1}}, {variance, {1}}),
      "norm_pool_forward: windows of 3x1, stride 2x1; expected stride = size, no padding, at most 256", Error);
}

}  // namespace
}  // namespace melgrad
