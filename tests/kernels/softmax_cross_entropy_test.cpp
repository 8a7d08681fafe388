#include "kernels/softmax_cross_entropy.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "kernels/memory.h"
#include "kernels/reference/softmax_cross_entropy.h"
#include "tests/kernels/device_array.h"
#include "tests/kernels/gradient_check.h"

namespace melgrad {
namespace {

using test::Inputs;
using test::OperationCase;
using test::Outputs;

struct Size {
  int64_t rows, classes;
};
const Size awkward_sizes[] = {{0, 3}, {1, 1}, {1, 10}, {32, 10}, {5, 31}, {3, 33}, {131, 7}, {2, 257}, {17, 2000}};

// Errors of exp, of rounding x - max, and of both in the sum; the loss adds the label's distance.
void forward_magnitude(Inputs in, Outputs out) {
  reference::softmax_cross_entropy_forward<double>(in[0], in[1], out[0], out[1]);
  const int64_t classes = in[0].shape[1];
  for (int64_t row = 0; row < in[0].shape[0]; ++row) {
    const double* x = in[0].as<double>() + row * classes;
    double* y = out[1].as<double>() + row * classes;
    const double maximum = *std::max_element(x, x + classes);
    double mean_distance = 0;
    for (int64_t i = 0; i < classes; ++i) mean_distance += y[i] * (maximum - x[i]);
    for (int64_t i = 0; i < classes; ++i) y[i] *= 2 + mean_distance + (maximum - x[i]);
    out[0].as<double>()[row] += 2 + mean_distance;
  }
}

void backward_magnitude(Inputs in, Outputs out) {
  const int64_t classes = in[0].shape[1];
  for (int64_t i = 0; i < in[0].numel(); ++i)
    out[0].as<double>()[i] = (1 + std::abs(in[0].as<double>()[i])) * std::abs(in[2].as<double>()[i / classes]);
}

TEST_CASE("softmax_cross_entropy agrees with the reference") {
  for (const auto& [rows, classes] : awkward_sizes) {
    OperationCase forward;
    forward.name = fmt::format("softmax_cross_entropy_forward ({}, {})", rows, classes);
    forward.inputs = {{Shape{rows, classes}, [](Generator& random, bool) { return 5 * random.normal(); }},
                      {Shape{rows}, test::label_values(classes), true}};
    forward.outputs = {{Shape{rows}}, {Shape{rows, classes}}};
    forward.run = [](Stream& stream, Inputs in, Outputs out) {
      softmax_cross_entropy_forward(stream, in[0], in[1], out[0], out[1]);
    };
    forward.reference = [](Inputs in, Outputs out) {
      reference::softmax_cross_entropy_forward<double>(in[0], in[1], out[0], out[1]);
    };
    forward.reduction_length = std::max<int64_t>(4, classes);
    forward.magnitude = forward_magnitude;
    test::check(forward);

    OperationCase backward;
    backward.name = fmt::format("softmax_cross_entropy_backward ({}, {})", rows, classes);
    backward.inputs = {{Shape{rows, classes}}, {Shape{rows}, test::label_values(classes), true}, {Shape{rows}}};
    backward.outputs = {{Shape{rows, classes}}};
    backward.run = [](Stream& stream, Inputs in, Outputs out) {
      softmax_cross_entropy_backward(stream, in[0], in[1], in[2], out[0]);
    };
    backward.reference = [](Inputs in, Outputs out) {
      reference::softmax_cross_entropy_backward<double>(in[0], in[1], in[2], out[0]);
    };
    backward.magnitude = backward_magnitude;
    backward.exact_on_integers = true;
    test::check(backward);
  }
}

TEST_CASE("softmax_cross_entropy: gradient") {
  test::GradientCase gradient;
  gradient.name = "softmax_cross_entropy";
  gradient.proves = {"softmax_cross_entropy_backward"};
  gradient.inputs = {{Shape{6, 5}}, {Shape{6}, test::label_values(5), true}};
  gradient.outputs = {{Shape{6}}, {Shape{6, 5}}};
  gradient.forward = [](Stream& stream, Inputs in, Outputs out) {
    softmax_cross_entropy_forward(stream, in[0], in[1], out[0], out[1]);
  };
  gradient.backward = [](Stream& stream, Inputs in, Outputs out, ConstView dloss, Outputs gradients) {
    softmax_cross_entropy_backward(stream, out[1], in[1], dloss, gradients[0]);
  };
  test::check_gradient(gradient);
}

struct Result {
  std::vector<float> loss, probabilities;
};

Result run_on(Device device, const std::vector<float>& logits, const std::vector<int32_t>& labels) {
  const auto rows = static_cast<int64_t>(labels.size());
  const Shape shape{rows, static_cast<int64_t>(logits.size()) / rows};
  std::vector<Buffer> buffers;
  auto view = [&](const Shape& of, DType dtype) {
    buffers.push_back(arena(device).allocate(of.numel() * 4));
    return View{buffers.back().data(), of, dtype, device};
  };
  const View x = view(shape, DType::f32), l = view(Shape{rows}, DType::i32);
  const View loss = view(Shape{rows}, DType::f32), probabilities = view(shape, DType::f32);
  copy({logits.data(), shape}, x);
  copy({labels.data(), Shape{rows}, DType::i32}, l);
  Stream stream(device);
  softmax_cross_entropy_forward(stream, x, l, loss, probabilities);
  Result result{std::vector<float>(labels.size()), std::vector<float>(logits.size())};
  copy(loss, {result.loss.data(), Shape{rows}});
  copy(probabilities, {result.probabilities.data(), shape});
  return result;
}

TEST_CASE("softmax_cross_entropy is stable at large logits and shows a NaN") {
  for (Device device : {Device::cpu, Device::simt}) {
    const float big = 1e4f;
    const Result result =
        run_on(device, {big, -big, 0, big, -big, 0, big, big, -big, -big, -big, -big, 0, NAN, 0, -big, big - 1, big},
               {0, 1, 0, 2, 0, 1});
    CHECK(result.loss[0] == 0.0f);
    CHECK(result.loss[1] == 2e4f);
    CHECK(result.loss[2] == doctest::Approx(std::log(2.0)).epsilon(1e-6));
    CHECK(result.loss[3] == doctest::Approx(std::log(3.0)).epsilon(1e-6));
    CHECK(std::isnan(result.loss[4]));
    CHECK(result.loss[5] == doctest::Approx(std::log1p(std::exp(-1.0)) + 1).epsilon(1e-6));
    CHECK(result.probabilities[0] == 1.0f);
    CHECK(result.probabilities[1] == 0.0f);
    for (int i = 12; i < 15; ++i) CHECK(std::isnan(result.probabilities[i]));
  }
}

TEST_CASE("softmax_cross_entropy: a label out of range") {
  CHECK_THROWS_WITH_AS(run_on(Device::cpu, {0, 0, 0, 0, 0, 0}, {2, 3}),
                       "softmax_cross_entropy_forward: label 3 of row 1, expected 0 to 2", Error);
  CHECK_THROWS_AS(run_on(Device::cpu, {0, 0, 0}, {-1}), Error);
  CHECK(std::isnan(run_on(Device::simt, {0, 0, 0}, {3}).loss[0]));
  CHECK(std::isnan(run_on(Device::simt, {0, 0, 0}, {-1}).loss[0]));
  const float probabilities[] = {0.5f, 0.5f}, dloss[] = {1};
  const int32_t label[] = {2};
  float dlogits[2];
  Stream stream(Device::cpu);
  CHECK_THROWS_WITH_AS(
      softmax_cross_entropy_backward(stream, {probabilities, Shape{1, 2}}, {label, Shape{1}, DType::i32},
                                     {dloss, Shape{1}}, {dlogits, Shape{1, 2}}),
      "softmax_cross_entropy_backward: label 2 of row 0, expected 0 to 1", Error);

  // A GPU does not throw: NaN it is, and the rows beside are right.
  const simt::DeviceArray<float> on_device({0.5f, 0.5f, 0.25f, 0.75f, 0.5f, 0.5f}), ones({1, 1, 1}), gradient(6);
  const simt::DeviceArray<int32_t> labels({2, 1, -1});
  softmax_cross_entropy_backward(
      default_stream(Device::simt), {on_device.data(), Shape{3, 2}, DType::f32, Device::simt},
      {labels.data(), Shape{3}, DType::i32, Device::simt}, {ones.data(), Shape{3}, DType::f32, Device::simt},
      {gradient.data(), Shape{3, 2}, DType::f32, Device::simt});
  const std::vector<float> result = gradient.values();
  for (std::size_t i : {0, 1, 4, 5}) CHECK(std::isnan(result[i]));
  CHECK(result[2] == 0.25f);
  CHECK(result[3] == -0.25f);
}

TEST_CASE("softmax_cross_entropy: errors and cost") {
  float x[6] = {}, y[6], loss[2];
  const int32_t labels[2] = {};
  Stream stream(Device::cpu);
  const ConstView good_labels{labels, Shape{2}, DType::i32};
  CHECK_THROWS_WITH_AS(
      softmax_cross_entropy_forward(stream, {x, Shape{6}}, good_labels, {loss, Shape{2}}, {y, Shape{6}}),
      "softmax_cross_entropy_forward: logits is (6), expected (rows, classes)", Error);
  CHECK_THROWS_WITH_AS(
      softmax_cross_entropy_forward(stream, {x, Shape{2, 3}}, {x, Shape{2}}, {loss, Shape{2}}, {y, Shape{2, 3}}),
      "softmax_cross_entropy_forward: labels is f32, expected i32", Error);
  CHECK_THROWS_WITH_AS(
      softmax_cross_entropy_forward(stream, {x, Shape{2, 3}}, good_labels, {loss, Shape{1}}, {y, Shape{2, 3}}),
      "softmax_cross_entropy_forward: loss is (1), expected (2)", Error);
  CHECK(softmax_cross_entropy_forward_cost(3, 10, 4) == Cost{150, 264});
  CHECK(softmax_cross_entropy_backward_cost(3, 10, 4) == Cost{60, 264});
}

}  // namespace
}  // namespace melgrad
