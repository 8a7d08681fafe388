#include "kernels/batch_norm.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/memory.h"
#include "kernels/reference/batch_norm.h"
#include "tests/kernels/gradient_check.h"

namespace melgrad {
namespace {

using test::FillFunction;
using test::Inputs;
using test::OperationCase;
using test::Outputs;

constexpr double epsilon = 1e-3;

const Shape awkward_shapes[] = {{1, 1},   {1, 5},     {2, 3},         {7, 16},     {31, 17},  {5, 1000},
                                {64, 48}, {1984, 32}, {4, 31, 2, 16}, {40'009, 1}, {4999, 3}, {3, 5000}};

FillFunction around(double mean) {
  return [mean](Generator& random, bool) { return mean + random.normal(); };
}

Shape channels_of(const Shape& x) {
  return {x[-1]};
}
int64_t rows_of(const Shape& x) {
  return x.numel() / std::max<int64_t>(1, x[-1]);
}

// mean: rounding of x - first, summed; the rounding of the mean itself is in the bound already. variance: relative.
// y: relative errors of x - mean and of the deviation, and what the error of the mean moves.
void train_forward_magnitude(Inputs in, Outputs out) {
  reference::batch_norm_train_forward<double>(epsilon, in[0], in[1], in[2], out[0], out[1], out[2]);
  const int64_t c = in[0].shape[-1], rows = rows_of(in[0].shape);
  for (int64_t j = 0; j < c; ++j) {
    const double mean = out[1].as<double>()[j], variance = out[2].as<double>()[j];
    double spread = 0;
    for (int64_t i = 0; i < rows; ++i) spread = std::max(spread, std::abs(in[0].as<double>()[i * c + j] - mean));
    const double scale = std::abs(in[1].as<double>()[j]) / std::sqrt(variance + epsilon);
    for (int64_t i = 0; i < rows; ++i) {
      const double distance = std::abs(in[0].as<double>()[i * c + j] - mean);
      out[0].as<double>()[i * c + j] = scale * (2 * distance + spread) + std::abs(in[2].as<double>()[j]);
    }
    out[1].as<double>()[j] = spread;
  }
}

TEST_CASE("batch_norm_train_forward agrees with the reference, also far from zero") {
  for (const Shape& shape : awkward_shapes) {
    for (double mean : {0.0, 1e4, -300.0}) {
      OperationCase forward;
      forward.name = fmt::format("batch_norm_train_forward {} around {}", shape.to_string(), mean);
      forward.inputs = {{shape, around(mean)}, {channels_of(shape)}, {channels_of(shape)}};
      forward.outputs = {{shape}, {channels_of(shape)}, {channels_of(shape)}};
      forward.run = [](Stream& stream, Inputs in, Outputs out) {
        batch_norm_train_forward(stream, epsilon, in[0], in[1], in[2], out[0], out[1], out[2]);
      };
      forward.reference = [](Inputs in, Outputs out) {
        reference::batch_norm_train_forward<double>(epsilon, in[0], in[1], in[2], out[0], out[1], out[2]);
      };
      forward.magnitude = train_forward_magnitude;
      forward.reduction_length = std::clamp<int64_t>(rows_of(shape), 4, 16);
      test::check(forward);
    }
  }
}

// Of sums over rows: Σ|terms|. dx: relative errors of its three terms.
void backward_magnitude(bool training, Inputs in, Outputs out) {
  const int64_t c = in[0].shape[-1], rows = rows_of(in[0].shape);
  for (int64_t j = 0; j < c; ++j) {
    const double inverse = 1 / std::sqrt(in[3].as<double>()[j] + epsilon);
    auto u = [&](int64_t i) { return std::abs(in[0].as<double>()[i * c + j] - in[2].as<double>()[j]) * inverse; };
    auto dy = [&](int64_t i) { return std::abs(in[4].as<double>()[i * c + j]); };
    double sum = 0, product = 0;
    for (int64_t i = 0; i < rows; ++i) {
      sum += dy(i);
      product += dy(i) * u(i);
    }
    out[1].as<double>()[j] = product;
    out[2].as<double>()[j] = sum;
    for (int64_t i = 0; i < rows; ++i) {
      const double through_statistics = training ? (sum + u(i) * product) / static_cast<double>(rows) : 0;
      out[0].as<double>()[i * c + j] = std::abs(in[1].as<double>()[j]) * inverse * (dy(i) + through_statistics);
    }
  }
}

TEST_CASE("batch_norm backward agrees with the reference") {
  std::vector<Shape> shapes(std::begin(awkward_shapes), std::end(awkward_shapes));
  shapes.push_back({0, 3});
  for (const Shape& shape : shapes) {
    for (bool training : {false, true}) {
      if (training && shape.numel() == 0) continue;  // no rows, no statistics: refused
      for (double mean : {0.0, 1e4}) {
        const Shape c = channels_of(shape);
        OperationCase backward;
        backward.name =
            fmt::format("batch_norm_{}_backward {} around {}", training ? "train" : "infer", shape.to_string(), mean);
        backward.inputs = {{shape, around(mean)}, {c}, {c, around(mean)}, {c, test::positive_values()}, {shape}};
        backward.outputs = {{shape}, {c}, {c}};
        backward.run = [=](Stream& stream, Inputs in, Outputs out) {
          const auto run = training ? batch_norm_train_backward : batch_norm_infer_backward;
          run(stream, epsilon, in[0], in[1], in[2], in[3], in[4], out[0], out[1], out[2]);
        };
        backward.reference = [=](Inputs in, Outputs out) {
          reference::batch_norm_backward<double>(training, epsilon, in[0], in[1], in[2], in[3], in[4], out[0], out[1],
                                                 out[2]);
        };
        backward.magnitude = [=](Inputs in, Outputs out) { backward_magnitude(training, in, out); };
        backward.reduction_length = std::clamp<int64_t>(rows_of(shape), 4, 16);
        test::check(backward);
      }
    }
  }
}

TEST_CASE("batch_norm_infer_forward agrees with the reference") {
  for (const Shape& shape :
       {Shape{0, 3}, Shape{3, 0}, Shape{1}, Shape{7}, Shape{31, 17}, Shape{4, 31, 2, 16}, Shape{4999, 3}}) {
    const Shape c = channels_of(shape);
    OperationCase forward;
    forward.name = "batch_norm_infer_forward " + shape.to_string();
    forward.inputs = {{shape, around(1e4)}, {c}, {c}, {c, around(1e4)}, {c, test::positive_values()}};
    forward.outputs = {{shape}};
    forward.run = [](Stream& stream, Inputs in, Outputs out) {
      batch_norm_infer_forward(stream, epsilon, in[0], in[1], in[2], in[3], in[4], out[0]);
    };
    forward.reference = [](Inputs in, Outputs out) {
      reference::batch_norm_infer_forward<double>(epsilon, in[0], in[1], in[2], in[3], in[4], out[0]);
    };
    forward.magnitude = [](Inputs in, Outputs out) {
      const int64_t channels = in[1].numel();
      for (int64_t i = 0; i < in[0].numel(); ++i) {
        const int64_t j = i % channels;
        const double scale = std::abs(in[1].as<double>()[j]) / std::sqrt(in[4].as<double>()[j] + epsilon);
        const double distance = std::abs(in[0].as<double>()[i] - in[3].as<double>()[j]);
        out[0].as<double>()[i] = scale * distance + std::abs(in[2].as<double>()[j]);
      }
    };
    forward.reduction_length = 4;
    test::check(forward);
  }
}

TEST_CASE("batch_norm: gradients") {
  for (const Shape& shape : {Shape{5, 3}, Shape{2, 3, 2, 4}, Shape{1, 4}}) {
    const Shape c = channels_of(shape);
    test::GradientCase train;
    train.name = "batch_norm_train " + shape.to_string();
    train.proves = {"batch_norm_train_backward"};
    train.inputs = {{shape, around(3)}, {c}, {c}};  // gamma of both signs
    train.outputs = {{shape}, {c}, {c}};
    train.forward = [](Stream& stream, Inputs in, Outputs out) {
      batch_norm_train_forward(stream, epsilon, in[0], in[1], in[2], out[0], out[1], out[2]);
    };
    train.backward = [](Stream& stream, Inputs in, Outputs out, ConstView dy, Outputs gradients) {
      batch_norm_train_backward(stream, epsilon, in[0], in[1], out[1], out[2], dy, gradients[0], gradients[1],
                                gradients[2]);
    };
    test::check_gradient(train);

    test::GradientCase infer;
    infer.name = "batch_norm_infer " + shape.to_string();
    infer.proves = {"batch_norm_infer_backward"};
    infer.inputs = {{shape, around(3)}, {c}, {c}};
    infer.outputs = {{shape}};
    const std::vector<double> mean(static_cast<std::size_t>(c[0]), 2.5), variance(static_cast<std::size_t>(c[0]), 0.7);
    infer.forward = [=](Stream& stream, Inputs in, Outputs out) {
      batch_norm_infer_forward(stream, epsilon, in[0], in[1], in[2], {mean.data(), c, DType::f64},
                               {variance.data(), c, DType::f64}, out[0]);
    };
    infer.backward = [=](Stream& stream, Inputs in, Outputs, ConstView dy, Outputs gradients) {
      batch_norm_infer_backward(stream, epsilon, in[0], in[1], {mean.data(), c, DType::f64},
                                {variance.data(), c, DType::f64}, dy, gradients[0], gradients[1], gradients[2]);
    };
    test::check_gradient(infer);
  }
}

TEST_CASE("batch_norm by hand: two rows, a constant channel, one row") {
  // Channels: 1 and 3 (mean 2, variance 1); the constant 0.1, which no sum of 0.1 gives exactly.
  std::vector<float> x, y(200 * 2);
  for (int i = 0; i < 100; ++i) x.insert(x.end(), {1.0f, 0.1f, 3.0f, 0.1f});
  const float gamma[] = {-2, 5}, beta[] = {10, 7};
  float mean[2], variance[2];
  Stream stream(Device::cpu);
  const Shape c{2};
  batch_norm_train_forward(stream, 0.25, {x.data(), Shape{200, 2}}, {gamma, c}, {beta, c}, {y.data(), Shape{200, 2}},
                           {mean, c}, {variance, c});
  CHECK(mean[0] == 2.0f);
  CHECK(variance[0] == 1.0f);
  CHECK(y[0] == doctest::Approx(10 + 2 / std::sqrt(1.25)));
  CHECK(y[2] == doctest::Approx(10 - 2 / std::sqrt(1.25)));
  CHECK(mean[1] == 0.1f);
  CHECK(variance[1] == 0.0f);
  for (std::size_t i = 1; i < y.size(); i += 2) CHECK(y[i] == 7.0f);

  batch_norm_train_forward(stream, 0.25, {x.data(), c}, {gamma, c}, {beta, c}, {y.data(), c}, {mean, c}, {variance, c});
  CHECK(y[0] == 10.0f);
  CHECK(variance[0] == 0.0f);
}

TEST_CASE("batch_norm shows a NaN in its channel alone") {
  std::vector<float> x(300 * 3, 1.0f), y(300 * 3);
  x[3 * 123 + 1] = NAN;
  const float ones[] = {1, 1, 1};
  float mean[3], variance[3];
  Stream stream(Device::cpu);
  const Shape shape{300, 3}, c{3};
  batch_norm_train_forward(stream, epsilon, {x.data(), shape}, {ones, c}, {ones, c}, {y.data(), shape}, {mean, c},
                           {variance, c});
  for (std::size_t i = 0; i < y.size(); ++i) CHECK(std::isnan(y[i]) == (i % 3 == 1));
  CHECK(std::isnan(variance[1]));
}

TEST_CASE("batch_norm_update_running agrees with its formula in f64") {
  for (int64_t channels : {0, 1, 3, 31, 257}) {
    for (RunningVariance kind : {RunningVariance::biased, RunningVariance::unbiased}) {
      constexpr double keep = 0.9;
      constexpr int64_t rows = 7;
      const Shape c{channels};
      OperationCase update;
      update.name = fmt::format("batch_norm_update_running {} channels {}", name_of(kind), channels);
      update.inputs = {{c}, {c, test::positive_values()}, {c}, {c, test::positive_values()}};
      update.outputs = {{c}, {c}};
      update.run = [=](Stream& stream, Inputs in, Outputs out) {
        copy(in[2], out[0]);
        copy(in[3], out[1]);
        batch_norm_update_running(stream, keep, kind, rows, in[0], in[1], out[0], out[1]);
      };
      update.reference = [=](Inputs in, Outputs out) {
        const double correction = kind == RunningVariance::unbiased ? rows / (rows - 1.0) : 1;
        for (int64_t i = 0; i < channels; ++i) {
          out[0].as<double>()[i] = keep * in[2].as<double>()[i] + (1 - keep) * in[0].as<double>()[i];
          out[1].as<double>()[i] = keep * in[3].as<double>()[i] + (1 - keep) * correction * in[1].as<double>()[i];
        }
      };
      update.reduction_length = 4;
      test::check(update);
    }
  }
}

TEST_CASE("batch_norm_update_running") {
  for (double keep : {0.99, 0.9, 0.0, 1.0}) {
    for (int64_t rows : {1, 2, 1984}) {
      for (RunningVariance kind : {RunningVariance::biased, RunningVariance::unbiased}) {
        const float mean[] = {4, -1}, variance[] = {3, 8};
        float running_mean[] = {2, 5}, running_variance[] = {1, 2};
        Stream stream(Device::cpu);
        const Shape c{2};
        batch_norm_update_running(stream, keep, kind, rows, {mean, c}, {variance, c}, {running_mean, c},
                                  {running_variance, c});
        // Bessel's correction; one row has none.
        const bool corrected = kind == RunningVariance::unbiased && rows > 1;
        const double factor = corrected ? rows / (rows - 1.0) : 1.0;
        CHECK(running_mean[0] == doctest::Approx(keep * 2 + (1 - keep) * 4).epsilon(1e-6));
        CHECK(running_mean[1] == doctest::Approx(keep * 5 - (1 - keep)).epsilon(1e-6));
        CHECK(running_variance[0] == doctest::Approx(keep * 1 + (1 - keep) * 3 * factor).epsilon(1e-6));
        CHECK(running_variance[1] == doctest::Approx(keep * 2 + (1 - keep) * 8 * factor).epsilon(1e-6));
      }
    }
  }
}

TEST_CASE("batch_norm: errors and cost") {
  float x[6] = {}, y[6], c[3];
  Stream stream(Device::cpu);
  const View channels{c, Shape{3}}, two{c, Shape{2}};
  auto train = [&](double eps, const Shape& shape, const View& gamma, const View& mean) {
    batch_norm_train_forward(stream, eps, {x, shape}, gamma, channels, {y, shape}, mean, channels);
  };
  CHECK_THROWS_WITH_AS(train(epsilon, {2, 3}, two, channels), "batch_norm_train_forward: gamma is (2), expected (3)",
                       Error);
  CHECK_THROWS_WITH_AS(train(epsilon, {2, 3}, channels, two), "batch_norm_train_forward: mean is (2), expected (3)",
                       Error);
  CHECK_THROWS_WITH_AS(train(-1, {2, 3}, channels, channels),
                       "batch_norm_train_forward: epsilon is -1, expected at least 0", Error);
  CHECK_THROWS_WITH_AS(train(epsilon, {0, 3}, channels, channels),
                       "batch_norm_train_forward: x is (0, 3), which has no rows to take statistics of", Error);
  CHECK_THROWS_WITH_AS(train(epsilon, {}, channels, channels),
                       "batch_norm_train_forward: x is a scalar, expected (…, c)", Error);
  CHECK_THROWS_WITH_AS(
      batch_norm_update_running(stream, 1.5, RunningVariance::biased, 2, channels, channels, channels, channels),
      "batch_norm_update_running: keep is 1.5, expected 0 to 1", Error);
  CHECK_THROWS_AS(batch_norm_train_backward(stream, epsilon, {x, Shape{2, 3}}, channels, channels, channels,
                                            {x, Shape{6}}, {y, Shape{2, 3}}, channels, channels),
                  Error);
  CHECK(batch_norm_forward_cost(10, 3, 4) == Cost{210, 288});
  CHECK(batch_norm_backward_cost(10, 3, 4) == Cost{330, 420});
}

}  // namespace
}  // namespace melgrad
