#include "tests/tensor/random_graph.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tensor/autograd.h"
#include "tensor/ops/activation.h"
#include "tensor/ops/avg_pool2d.h"
#include "tensor/ops/batch_norm.h"
#include "tensor/ops/bias.h"
#include "tensor/ops/conv2d.h"
#include "tensor/ops/dropout.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/gru.h"
#include "tensor/ops/loss.h"
#include "tensor/ops/matmul.h"
#include "tensor/ops/max_pool2d.h"
#include "tensor/ops/movement.h"
#include "tensor/ops/reduce.h"
#include "tensor/ops/reshape.h"
#include "tensor/ops/softmax.h"
#include "tensor/ops/unary.h"

namespace melgrad::test {
namespace {

using Tensors = std::vector<Tensor>;

constexpr int64_t most_elements = 160;

Tensor constant(double value) {
  return Tensor::full({}, value, DType::f64);
}

double largest(const Tensor& tensor) {
  double result = 0;
  for (double value : tensor.data<double>()) result = std::isnan(value) ? value : std::max(result, std::abs(value));
  return result;
}

// What the result of each operation goes into the total with: a plain sum could not see, for instance, a wrong gradient
// of a batch norm.
Tensor weights_of(std::size_t value, const Shape& shape) {
  Generator random(value, Draw::test, 78);
  std::vector<double> weights(static_cast<std::size_t>(shape.numel()));
  for (double& weight : weights) weight = random.uniform(-1, 1);
  return Tensor::from(weights, shape);
}

// The number of elements as (rows, columns), or as (1, all).
Shape as_matrix(const Shape& shape) {
  const int64_t columns = shape.rank() == 0 ? 1 : shape[-1];
  return {shape.numel() / columns, columns};
}

}  // namespace

RandomGraph::RandomGraph(uint64_t seed, int depth) : random_(seed, Draw::test, 77) {
  leaf({2, 3});
  leaf({3});
  leaf({2, 1, 3}, 0.5, 1.5);
  leaf({});
  const std::size_t before = values_.size();
  for (int operations = 0, tries = 0; operations < depth && tries < 1000; ++tries) {
    if (!draw()) continue;
    keep_in_range();
    ++operations;
  }
  require(values_.size() > before, "random graph {}: nothing fits", seed);
}

std::vector<Tensor> RandomGraph::leaves() const {
  std::vector<Tensor> result;
  for (const Value& value : values_)
    if (value.operation.empty()) result.push_back(value.at_draw);
  return result;
}

Tensor RandomGraph::run(const std::vector<Tensor>& leaves) const {
  std::vector<Tensor> results;
  Tensor total = constant(0);
  std::size_t next_leaf = 0;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    Tensors inputs;
    for (std::size_t input : values_[i].inputs) inputs.push_back(results[input]);
    results.push_back(values_[i].operation.empty() ? leaves[next_leaf++] : values_[i].compute(inputs));
    total = total + sum(results[i] * weights_of(i, results[i].shape()));
  }
  return total;
}

std::string RandomGraph::to_string() const {
  std::string text;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const Value& value = values_[i];
    text += fmt::format("v{} {}{}", i, value.at_draw.shape().to_string(), value.operation.empty() ? "" : " = ");
    text += value.operation;
    for (std::size_t input : value.inputs) text += fmt::format(" v{}", input);
    text += "\n";
  }
  return text;
}

std::map<std::string, int> RandomGraph::operations() const {
  std::map<std::string, int> counts;
  for (const Value& value : values_)
    if (!value.operation.empty()) ++counts[value.operation];
  return counts;
}

std::size_t RandomGraph::leaf(const Shape& shape, double low, double high) {
  std::vector<double> numbers(static_cast<std::size_t>(shape.numel()));
  for (double& number : numbers) number = random_.uniform(low, high);
  values_.push_back({"", {}, {}, Tensor::from(numbers, shape)});
  return values_.size() - 1;
}

std::size_t RandomGraph::pick() {
  const auto count = static_cast<int64_t>(values_.size());
  std::size_t picked = 0;
  for (int tries = 0; tries < 3; ++tries) {  // rather one with something in it: reductions leave little
    const int64_t back = below(4) == 0 ? below(count) : below(std::min<int64_t>(count, 3));
    picked = static_cast<std::size_t>(count - 1 - back);
    if (shape(picked).numel() >= 4) break;
  }
  return picked;
}

bool RandomGraph::add(const std::string& operation, std::vector<std::size_t> inputs, const Segment& compute) {
  Tensors at_draw;
  for (std::size_t input : inputs) at_draw.push_back(values_[input].at_draw);
  const Tensor result = compute(at_draw);
  if (result.numel() == 0 || result.numel() > most_elements || !std::isfinite(largest(result))) return false;
  // Some run twice.
  const bool twice = below(8) == 0;
  const Segment again = [compute](const Tensors& in) { return checkpoint(compute, in); };
  values_.push_back({operation, std::move(inputs), twice ? again : compute, result});
  return true;
}

void RandomGraph::keep_in_range() {
  const double size = largest(values_.back().at_draw);
  if (size == 0 || (size > 0.2 && size < 4)) return;
  add("scale", {values_.size() - 1}, [size](const Tensors& in) { return scale(in[0], 1.5 / size); });
}

bool RandomGraph::draw() {
  switch (below(8)) {
    case 0:
      return draw_reduction();
    case 1:
      return draw_movement();
    case 2:
      return draw_product();
    case 3:
      return draw_window_2d();
    case 4:
      return draw_window_1d();
    case 5:
      return draw_normalisation();
    case 6:
      return draw_loss();
    default:
      return draw_element_wise();
  }
}

bool RandomGraph::draw_element_wise() {
  const std::size_t a = pick(), b = pick();
  const auto function = static_cast<std::size_t>(below(enum_names<Unary>.size() + enum_names<Activation>.size()));
  if (below(2) == 0) {
    const auto kind = below(4);
    try {  // where the two broadcast
      if (kind == 0) return add("add", {a, b}, [](const Tensors& in) { return in[0] + in[1]; });
      if (kind == 1) return add("subtract", {a, b}, [](const Tensors& in) { return in[0] - in[1]; });
      if (kind == 2) return add("multiply", {a, b}, [](const Tensors& in) { return in[0] * in[1]; });
      return add("divide", {a, b}, [](const Tensors& in) { return in[0] / (square(in[1]) + constant(0.7)); });
    } catch (const Error&) {
      return false;
    }
  }
  if (function < enum_names<Activation>.size()) {
    const auto& [activation_function, name] = enum_names<Activation>[function];
    const ActivationChoice choice(activation_function, 0.3);
    return add(std::string(name), {a}, [choice](const Tensors& in) { return activation(choice, in[0]); });
  }
  const auto& [f, name] = enum_names<Unary>[function - enum_names<Activation>.size()];
  return add(std::string(name), {a}, [f = f](const Tensors& in) {
    return unary(f, f == Unary::log || f == Unary::sqrt ? square(in[0]) + constant(0.3) : in[0]);
  });
}

bool RandomGraph::draw_reduction() {
  const std::size_t a = pick();
  std::vector<int64_t> axes;
  for (int64_t axis = 0; axis < shape(a).rank(); ++axis)
    if (below(2) == 0) axes.push_back(below(2) == 0 ? axis : axis - shape(a).rank());
  switch (below(4)) {
    case 0:
      return add("sum", {a}, [axes](const Tensors& in) { return sum(in[0], axes); });
    case 1:
      return add("mean", {a}, [axes](const Tensors& in) { return mean(in[0], axes); });
    case 2:
      return add("max", {a}, [axes](const Tensors& in) { return max(in[0], axes); });
    default:
      return add("variance", {a}, [axes](const Tensors& in) { return variance(in[0], axes); });
  }
}

bool RandomGraph::draw_movement() {
  const std::size_t a = pick(), b = pick();
  const int64_t rank = shape(a).rank();
  if (rank == 0) return add("reshape", {a}, [](const Tensors& in) { return reshape(in[0], {1, 1}); });
  const int64_t axis = below(rank), size = shape(a)[axis];
  const int64_t before = below(std::min<int64_t>(size, 3)), after = below(std::min<int64_t>(size, 3));
  switch (below(6)) {
    case 0: {
      std::vector<int64_t> order(static_cast<std::size_t>(rank));
      std::iota(order.begin(), order.end(), 0);
      random_.shuffle(order);
      return add("transpose", {a}, [order](const Tensors& in) { return transpose(in[0], order); });
    }
    case 1: {
      const Slice part{.axis = axis, .begin = below(size), .end = size, .step = 1 + below(2)};
      return add("slice", {a}, [part](const Tensors& in) { return slice(in[0], part); });
    }
    case 2: {
      const bool fits = shape(a).rank() == shape(b).rank() && below(2) == 0;
      try {
        return add("concatenate", {a, fits ? b : a, a}, [axis](const Tensors& in) { return concatenate(in, axis); });
      } catch (const Error&) {
        return false;
      }
    }
    case 3:
      return add("pad", {a}, [=](const Tensors& in) { return pad(in[0], axis, before, after + 1); });
    case 4:
      return add("reflect", {a}, [=](const Tensors& in) { return pad(in[0], axis, before, after, PadMode::reflect); });
    default: {
      Shape other;
      for (int64_t i = rank; i-- > 0;) other.append(shape(a)[i]);
      return add("reshape", {a}, [other](const Tensors& in) { return reshape(in[0], other); });
    }
  }
}

bool RandomGraph::draw_product() {
  const std::size_t a = pick(), b = pick();
  if (below(3) == 0)
    return add("add_bias", {a, leaf(Shape{as_matrix(shape(a))[1]})},
               [](const Tensors& in) { return add_bias(reshape(in[0], as_matrix(in[0].shape())), in[1]); });
  const Shape left = as_matrix(shape(a)), right = as_matrix(shape(b));
  // With what there is where it fits, or with a new weight.
  const bool fits = left[1] == right[0] && below(2) == 0;
  return add("matmul", {a, fits ? b : leaf({left[1], 1 + below(4)})}, [](const Tensors& in) {
    return matmul(reshape(in[0], as_matrix(in[0].shape())), reshape(in[1], as_matrix(in[1].shape())));
  });
}

bool RandomGraph::draw_window_2d() {
  const std::size_t a = pick();
  const Shape flat = as_matrix(shape(a));
  const int64_t channels = flat[1];
  // (1, h, w, c) with w as close to h as it can be.
  int64_t width = static_cast<int64_t>(std::sqrt(static_cast<double>(flat[0])));
  while (width > 1 && flat[0] % width != 0) --width;
  const Shape image{1, flat[0] / width, width, channels};
  const auto window = [&](int64_t length) {
    const Window drawn{.size = 1 + below(3), .stride = 1 + below(2), .dilation = 1 + below(2)};
    return padded(drawn, drawn.extent() > length || below(2) == 0 ? Padding::same : Padding::valid, length);
  };
  const Window rows = window(image[1]), columns = window(image[2]);
  const AverageOver over = below(2) == 0 ? AverageOver::inside : AverageOver::window;
  switch (below(4)) {
    case 0:
      return add("max_pool2d", {a},
                 [=](const Tensors& in) { return max_pool2d(reshape(in[0], image), rows, columns); });
    case 1:
      return add("avg_pool2d", {a},
                 [=](const Tensors& in) { return avg_pool2d(reshape(in[0], image), rows, columns, over); });
    default: {
      const int64_t groups = below(2) == 0 ? channels : 1;
      const Shape weight{rows.size, columns.size, channels / groups, groups * (1 + below(2))};
      const Conv2dOptions options{.rows = rows, .columns = columns, .groups = groups};
      return add(groups == 1 ? "conv2d" : "conv2d in groups", {a, leaf(weight)},
                 [=](const Tensors& in) { return conv2d(reshape(in[0], image), in[1], options); });
    }
  }
}

bool RandomGraph::draw_window_1d() {
  const std::size_t a = pick();
  const Shape flat = as_matrix(shape(a)), sequence{1, flat[0], flat[1]};
  const int64_t units = 1 + below(3);
  const Window drawn{.size = 1 + below(3), .stride = 1 + below(2)};
  const Window window = padded(drawn, drawn.extent() > flat[0] ? Padding::same : Padding::valid, flat[0]);
  switch (below(4)) {
    case 0:
      return add("max_pool1d", {a}, [=](const Tensors& in) { return max_pool1d(reshape(in[0], sequence), window); });
    case 1:
      return add("avg_pool1d", {a}, [=](const Tensors& in) { return avg_pool1d(reshape(in[0], sequence), window); });
    case 2:
      return add("conv1d", {a, leaf({window.size, flat[1], units})},
                 [=](const Tensors& in) { return conv1d(reshape(in[0], sequence), in[1], {.window = window}); });
    default: {
      const GruOptions options{.reset_after = below(2) == 0};
      const std::vector<std::size_t> inputs{a, leaf({flat[1], 3 * units}), leaf({units, 3 * units}), leaf({3 * units})};
      return add("gru", inputs, [=](const Tensors& in) {
        const Tensor input = reshape(matmul(reshape(in[0], flat), in[1]), {1, flat[0], 3 * units});
        return gru(input, in[2], in[3], options);
      });
    }
  }
}

bool RandomGraph::draw_normalisation() {
  const std::size_t a = pick();
  const Shape flat = as_matrix(shape(a));
  const Philox mask{static_cast<uint64_t>(below(1000)), Draw::dropout};
  switch (below(12)) {
    case 0:
      if (shape(a).rank() == 0) return false;
      return add("softmax", {a}, [](const Tensors& in) { return softmax(in[0]); });
    case 1:
      return add("dropout", {a}, [mask](const Tensors& in) { return dropout(in[0], 0.3, mask); });
    case 2:
      return add("channel_dropout", {a},
                 [=](const Tensors& in) { return channel_dropout(reshape(in[0], flat), 0.3, mask); });
    case 3:
      return add("gaussian_noise", {a}, [=](const Tensors& in) { return gaussian_noise(in[0], 0.1, mask); });
    default: {
      if (flat[0] < 3) return false;  // two samples are normalised to ±1: no slope but epsilon's
      const bool trains = below(3) != 0;
      const std::vector<std::size_t> inputs{a, leaf({flat[1]}), leaf({flat[1]})};
      return add(trains ? "batch_norm_train" : "batch_norm_infer", inputs, [=](const Tensors& in) {
        Tensor running_mean = Tensor::full({flat[1]}, 0.1, DType::f64);
        Tensor running_variance = Tensor::full({flat[1]}, 1.3, DType::f64);
        const Tensor x = reshape(in[0], flat);
        const BatchNormOptions options{.epsilon = 0.1};
        return trains ? batch_norm_train(x, in[1], in[2], running_mean, running_variance, options)
                      : batch_norm_infer(x, in[1], in[2], running_mean, running_variance, options);
      });
    }
  }
}

bool RandomGraph::draw_loss() {
  const std::size_t a = pick();
  const Shape flat = as_matrix(shape(a));
  std::vector<double> shares(static_cast<std::size_t>(flat.numel()));
  for (double& share : shares) share = random_.uniform(0.1, 0.9);
  std::vector<int32_t> classes(static_cast<std::size_t>(flat[0]));
  for (int32_t& label : classes) label = static_cast<int32_t>(below(flat[1]));
  const Tensor targets = Tensor::from(shares, flat), labels = Tensor::from(classes, {flat[0]});
  const auto loss = enum_names<ElementLoss>[static_cast<std::size_t>(below(enum_names<ElementLoss>.size()))].first;
  const TargetScale scale = below(2) == 0 ? TargetScale::as_given : TargetScale::sum_to_one;
  switch (below(3)) {
    case 0:
      return add("softmax_cross_entropy", {a},
                 [=](const Tensors& in) { return softmax_cross_entropy(reshape(in[0], flat), labels); });
    case 1:
      return add("soft_cross_entropy", {a},
                 [=](const Tensors& in) { return soft_cross_entropy(reshape(in[0], flat), targets, scale); });
    default:
      return add(std::string(name_of(loss)), {a}, [=](const Tensors& in) {
        const bool probability = loss == ElementLoss::binary_cross_entropy || loss == ElementLoss::cross_entropy;
        const Tensor x = reshape(in[0], flat);
        return element_loss(loss, probability ? activation(Activation::sigmoid, x) : x, targets);
      });
  }
}

}  // namespace melgrad::test
