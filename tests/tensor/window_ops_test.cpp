// Operations over windows and statistics: convolution, pooling, batch normalisation.
#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "tensor/autograd.h"
#include "tensor/checkpoint.h"
#include "tensor/ops/batch_norm.h"
#include "tensor/ops/block.h"
#include "tensor/ops/conv2d.h"
#include "tensor/ops/max_pool2d.h"
#include "tensor/ops/norm_pool.h"
#include "tensor/ops/reduce.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad {
namespace {

using test::all_close;
using test::check_gradients;
using test::distinct_tensor;
using test::uniform_tensor;
using test::values_of;
using Values = std::vector<double>;
using Tensors = std::vector<Tensor>;

TEST_CASE("a block's windows are of its weight's size, whatever the options say") {
  BlockOptions options;
  options.rows.size = options.columns.size = 7;
  CHECK(block_problem({1, 5, 6, 2}, {3, 2, 2, 4}, options).conv.weight_shape() == Shape{3, 2, 2, 4});
}

TEST_CASE("conv2d: values") {
  // A 2 × 2 kernel over 3 × 3, then one pad before and none after.
  const Tensor x = Tensor::from(Values{1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 3, 3, 1});
  const Tensor weight = Tensor::from(Values{1, 10, 100, 1000}, {2, 2, 1, 1});
  CHECK(values_of(conv2d(x, weight)) == Values{5421, 6532, 8754, 9865});
  const Window padded{.pad_before = 1};
  const Tensor y = conv2d(x, weight, {.rows = padded, .columns = padded});
  CHECK(y.shape() == Shape{1, 3, 3, 1});
  CHECK(values_of(y) == Values{1000, 2100, 3200, 4010, 5421, 6532, 7040, 8754, 9865});
}

TEST_CASE("conv2d: gradients for strides, dilations and pads") {
  struct Case {
    Shape x, weight;
    Window rows, columns;
  };
  const Case cases[] = {
      {{2, 4, 5, 2}, {3, 2, 2, 3}, {}, {}},
      {{1, 1, 1, 1}, {1, 1, 1, 1}, {}, {}},
      {{1, 7, 6, 1}, {3, 3, 1, 2}, {.stride = 2}, {.stride = 3}},
      {{1, 7, 8, 2}, {2, 3, 2, 1}, {.dilation = 3}, {.stride = 2, .dilation = 2}},
      // Keras's `same` for even kernels: the extra element after.
      {{1, 5, 4, 1}, {4, 2, 1, 2}, {.pad_before = 1, .pad_after = 2}, {.pad_before = 0, .pad_after = 1}},
      {{1, 6, 5, 1}, {4, 3, 1, 2}, {.stride = 2, .pad_before = 1, .pad_after = 1}, {.stride = 2, .pad_before = 2}},
      {{1, 3, 4, 1}, {2, 3, 1, 1}, {.dilation = 2, .pad_before = 2, .pad_after = 1}, {.pad_before = 2, .pad_after = 0}},
  };
  for (const Case& c : cases) {
    Conv2dProblem problem{c.x[0], c.x[1], c.x[2], c.x[3], c.weight[3], c.rows, c.columns};
    problem.rows.size = c.weight[0];
    problem.columns.size = c.weight[1];
    for (ConvAlgorithm algorithm : conv2d_algorithms(Device::cpu, problem)) {
      check_gradients(
          fmt::format("conv2d {} x {} weight {}", name_of(algorithm), c.x.to_string(), c.weight.to_string()),
          [&](const Tensors& in) {
            return conv2d(in[0], in[1], {.rows = c.rows, .columns = c.columns, .algorithm = algorithm});
          },
          {uniform_tensor(c.x, 1), uniform_tensor(c.weight, 2)});
    }
  }
}

TEST_CASE("conv2d refuses what does not fit") {
  const Tensor x = Tensor::zeros({1, 5, 5, 2});
  CHECK_THROWS_WITH_AS(conv2d(x, Tensor::zeros({3, 3, 1, 4})),
                       "conv2d: x is (1, 5, 5, 2) and the weight (3, 3, 1, 4) in 1 groups; expected (n, h, w, c) and "
                       "(kh, kw, c / groups, o)",
                       Error);
  // Ranks, in either place. Of too many axes the first four fit.
  const auto refused = [](const char* operation, const auto& convolution, const Shape& in, const Shape& weight) {
    const std::string start = fmt::format("{}: x is {} and the weight {} in 1 groups; expected (n, ", operation,
                                          in.to_string(), weight.to_string());
    try {
      convolution(Tensor::zeros(in), Tensor::zeros(weight));
      FAIL_CHECK(start << " was not refused");
    } catch (const Error& error) {
      CHECK_MESSAGE(std::string(error.what()).starts_with(start), error.what());
    }
  };
  const auto two = [](const Tensor& in, const Tensor& weight) { return conv2d(in, weight); };
  refused("conv2d", two, {5, 5, 2}, {3, 3, 2, 4});
  refused("conv2d", two, {1, 5, 5, 2, 1}, {3, 3, 2, 4});
  refused("conv2d", two, {1, 5, 5, 2}, {3, 3, 2});
  refused("conv2d", two, {1, 5, 5, 2}, {3, 3, 2, 4, 1});
  const auto one = [](const Tensor& in, const Tensor& weight) { return conv1d(in, weight, {}); };
  refused("conv1d", one, {5, 2}, {3, 2, 4});
  refused("conv1d", one, {1, 5, 2, 1}, {3, 2, 4});
  refused("conv1d", one, {1, 5, 2}, {3, 2});
  refused("conv1d", one, {1, 5, 2}, {3, 2, 4, 1});
  refused("conv1d", one, {1, 5, 3}, {3, 2, 4});
  CHECK_THROWS_AS(conv2d(x, Tensor::zeros({6, 3, 2, 4})), Error);  // longer than the input
  CHECK_THROWS_AS(conv2d(x, Tensor::zeros({3, 3, 2, 4}, DType::f64)), Error);
}

TEST_CASE("max_pool2d: values and gradients") {
  const Tensor x = Tensor::from(Values{1, 9, 3, -4, 5, 6, -7, -8, -9}, {1, 3, 3, 1});
  const Window two{.size = 2};
  CHECK(values_of(max_pool2d(x, two, two)) == Values{9, 9, 5, 6});
  // Padding never wins, even against negative numbers.
  const Window padded{.size = 2, .stride = 2, .pad_after = 1};
  CHECK(values_of(max_pool2d(x, padded, padded)) == Values{9, 6, -7, -9});
  struct Case {
    Shape x;
    Window rows, columns;
  };
  const Case cases[] = {
      {{2, 4, 6, 3}, {.size = 2, .stride = 2}, {.size = 3, .stride = 3}},
      {{1, 5, 5, 2}, {.size = 3}, {.size = 2}},  // overlapping: gradients add
      {{1, 6, 5, 1},
       {.size = 4, .stride = 2, .pad_before = 1, .pad_after = 1},
       {.size = 3, .stride = 2, .pad_after = 1}},
      {{1, 7, 7, 1}, {.size = 2, .dilation = 3}, {.size = 3, .stride = 2, .dilation = 2}},
  };
  for (const Case& c : cases) {
    check_gradients("max_pool2d " + c.x.to_string(),
                    [&](const Tensors& in) { return max_pool2d(in[0], c.rows, c.columns); }, {distinct_tensor(c.x, 1)});
  }
  CHECK_THROWS_WITH_AS(max_pool2d(Tensor::zeros({3, 3}), two, two), "max_pool2d: x is (3, 3), expected (n, h, w, c)",
                       Error);
}

struct RunningStatistics {
  Tensor mean, variance;
};

TEST_CASE("batch_norm_train: values, running statistics and gradients") {
  // One channel of 1, 2, 3, 6: mean 3, biased variance 3.5.
  const Tensor x = Tensor::from(Values{1, 2, 3, 6}, {2, 2, 1});
  const Tensor gamma = Tensor::from(Values{2}, {1}), beta = Tensor::from(Values{0.5}, {1});
  for (RunningVariance kind : {RunningVariance::biased, RunningVariance::unbiased}) {
    RunningStatistics running{Tensor::full({1}, 10, DType::f64), Tensor::full({1}, 20, DType::f64)};
    const BatchNormOptions options{.epsilon = 0.5, .momentum = Momentum::keras(0.9), .running_variance = kind};
    const Tensor y = batch_norm_train(x, gamma, beta, running.mean, running.variance, options);
    CHECK(all_close(values_of(y), {-1.5, -0.5, 0.5, 3.5}, 1e-12));  // (x - 3)/2 · 2 + 0.5
    CHECK(all_close(values_of(running.mean), {0.9 * 10 + 0.1 * 3}, 1e-12));
    const double variance = kind == RunningVariance::biased ? 3.5 : 3.5 * 4 / 3;
    CHECK(all_close(values_of(running.variance), {0.9 * 20 + 0.1 * variance}, 1e-12));
  }
  // Two channels of two rows: the unbiased variance counts rows, not numbers.
  RunningStatistics of_rows{Tensor::zeros({2}, DType::f64), Tensor::zeros({2}, DType::f64)};
  batch_norm_train(Tensor::from(Values{1, 10, 3, 14}, {2, 2}), Tensor::full({2}, 1, DType::f64),
                   Tensor::zeros({2}, DType::f64), of_rows.mean, of_rows.variance,
                   {.momentum = Momentum::keras(0), .running_variance = RunningVariance::unbiased});
  CHECK(all_close(values_of(of_rows.mean), {2, 12}, 1e-12));
  CHECK(all_close(values_of(of_rows.variance), {2, 8}, 1e-12));
  CHECK(Momentum::pytorch(0.1).keep == 0.9);
  for (const Shape& shape : {Shape{7, 3}, Shape{2, 3, 2, 4}, Shape{5, 1}}) {
    const Shape channels{shape[-1]};
    check_gradients(
        "batch_norm_train " + shape.to_string(),
        [&](const Tensors& in) {
          RunningStatistics running{Tensor::zeros(channels, DType::f64), Tensor::zeros(channels, DType::f64)};
          return batch_norm_train(in[0], in[1], in[2], running.mean, running.variance, {.epsilon = 0.01});
        },
        {uniform_tensor(shape, 1), uniform_tensor(channels, 2, 0.5, 2), uniform_tensor(channels, 3)});
  }
}

TEST_CASE("norm_pool_train counts rows for the unbiased variance, and updates once in a segment that runs twice") {
  Values numbers(12);
  std::iota(numbers.begin(), numbers.end(), 1.0);
  const Tensor x = Tensor::from(numbers, {1, 4, 3, 1}).set_requires_grad();
  const Tensor one = Tensor::full({1}, 1, DType::f64), zero = Tensor::zeros({1}, DType::f64);
  RunningStatistics running{Tensor::full({1}, 20, DType::f64), Tensor::full({1}, 40, DType::f64)};
  const BatchNormOptions options{.momentum = Momentum::keras(0.5), .running_variance = RunningVariance::unbiased};
  const Tensor z = checkpoint(
      [&](const Tensors& in) {
        return norm_pool_train(in[0], one, zero, {}, running.mean, running.variance, options, {.size = 2, .stride = 2},
                               {}, true);
      },
      {x});
  sum(z).backward();
  CHECK(all_close(values_of(running.mean), {(20 + 6.5) / 2}, 1e-12));
  CHECK(all_close(values_of(running.variance), {(40 + 13) / 2.0}, 1e-12));
}

TEST_CASE("batch_norm_infer: values and gradients") {
  const Tensor x = Tensor::from(Values{1, 5}, {2, 1});
  const Tensor y =
      batch_norm_infer(x, Tensor::full({1}, 2, DType::f64), Tensor::full({1}, 0.5, DType::f64),
                       Tensor::full({1}, 3, DType::f64), Tensor::full({1}, 3.5, DType::f64), {.epsilon = 0.5});
  CHECK(all_close(values_of(y), {-1.5, 2.5}, 1e-12));
  const Tensor mean = uniform_tensor({3}, 4), variance = uniform_tensor({3}, 5, 0.3, 2);
  check_gradients(
      "batch_norm_infer",
      [&](const Tensors& in) { return batch_norm_infer(in[0], in[1], in[2], mean, variance, {.epsilon = 0.01}); },
      {uniform_tensor({4, 2, 3}, 1), uniform_tensor({3}, 2, 0.5, 2), uniform_tensor({3}, 3)});
}

TEST_CASE("batch_norm refuses what does not fit") {
  Tensor mean = Tensor::zeros({2}), variance = Tensor::zeros({2});
  const Tensor two = Tensor::zeros({2}), three = Tensor::zeros({3});
  CHECK_THROWS_AS(batch_norm_train(Tensor::zeros({4, 3}), three, three, mean, variance), Error);
  CHECK_THROWS_AS(batch_norm_train(Tensor::zeros({4, 3}), two, two, mean, variance), Error);
  CHECK_THROWS_AS(batch_norm_infer(Tensor::zeros({4, 2}), two, three, mean, variance), Error);
  const Tensor none = Tensor::zeros({0});
  Tensor no_mean = Tensor::zeros({0}), no_variance = Tensor::zeros({0});
  CHECK_THROWS_AS(batch_norm_train(Tensor::zeros({4, 0}), none, none, no_mean, no_variance), Error);
}

}  // namespace
}  // namespace melgrad
