#include "models/look_inside.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "tensor/autograd.h"
#include "tensor/ops/movement.h"
#include "tensor/ops/reduce.h"

namespace melgrad {
namespace {

// |Σ w(t) e^(-i π bin t / (bins - 1))|: the frequency response at even steps up to half the sample rate.
double response(std::span<const float> weight, int64_t taps, int64_t filters, int64_t filter, double angle) {
  double real = 0, imaginary = 0;
  for (int64_t tap = 0; tap < taps; ++tap) {
    const double w = weight[static_cast<std::size_t>(tap * filters + filter)];
    real += w * std::cos(angle * static_cast<double>(tap));
    imaginary -= w * std::sin(angle * static_cast<double>(tap));
  }
  return std::hypot(real, imaginary);
}

double centroid_of(std::span<const float> magnitudes) {
  double sum = 0, weighted = 0;
  for (std::size_t bin = 0; bin < magnitudes.size(); ++bin) {
    sum += magnitudes[bin];
    weighted += magnitudes[bin] * static_cast<double>(bin);
  }
  return sum > 0 ? weighted / sum : 0;
}

// The mean over the channels of relu(Σ weight · activation), as equation 2 has it.
ClassActivation weigh(const Tensor& activation, const Tensor& gradient) {
  const int64_t rows = activation.shape()[1], columns = activation.shape()[2], channels = activation.shape()[3];
  const auto a = activation.data<float>(), g = gradient.data<float>();
  const auto places = static_cast<std::size_t>(rows * columns), width = static_cast<std::size_t>(channels);
  std::vector<double> weights(width);
  for (std::size_t i = 0; i < g.size(); ++i) weights[i % width] += g[i] / static_cast<double>(places);
  ClassActivation result{rows, columns, std::vector<float>(places)};
  for (std::size_t place = 0; place < places; ++place) {
    double sum = 0;
    for (std::size_t c = 0; c < width; ++c) sum += weights[c] * a[place * width + c];
    result.values[place] = static_cast<float>(std::max(sum, 0.0));
  }
  const float largest = *std::ranges::max_element(result.values);
  if (largest > 0)
    for (float& value : result.values) value /= largest;
  return result;
}

ClassActivation transposed(const ClassActivation& map) {
  ClassActivation result{map.columns, map.rows, std::vector<float>(map.values.size())};
  for (int64_t row = 0; row < map.rows; ++row)
    for (int64_t column = 0; column < map.columns; ++column)
      result.values[static_cast<std::size_t>(column * map.rows + row)] =
          map.values[static_cast<std::size_t>(row * map.columns + column)];
  return result;
}

}  // namespace

FilterResponses first_filter_responses(const Sequential& network, int64_t bins) {
  require(!network.layers().empty() && network.layers().front().layer->type() == "conv1d" && bins >= 2,
          "filters: the network does not begin with a convolution of raw samples (conv1d)");
  const Tensor weight = network.layers().front().layer->state().front().tensor.to(Device::cpu);
  const int64_t taps = weight.shape()[0] * weight.shape()[1], filters = weight.shape()[2];
  std::vector<std::vector<float>> rows;
  for (int64_t filter = 0; filter < filters; ++filter) {
    std::vector<float>& row = rows.emplace_back();
    for (int64_t bin = 0; bin < bins; ++bin) {
      const double angle = std::numbers::pi * static_cast<double>(bin) / static_cast<double>(bins - 1);
      row.push_back(static_cast<float>(response(weight.data<float>(), taps, filters, filter, angle)));
    }
    const float largest = *std::ranges::max_element(row);
    if (largest > 0)
      for (float& value : row) value /= largest;
  }
  std::ranges::stable_sort(rows, {}, [](const std::vector<float>& row) { return centroid_of(row); });
  FilterResponses result{filters, bins, {}};
  for (const std::vector<float>& row : rows) result.values.insert(result.values.end(), row.begin(), row.end());
  return result;
}

ClassActivation class_activation(Sequential& network, const Tensor& input, int64_t label) {
  const auto& layers = network.layers();
  std::size_t last = layers.size();
  bool turned = false;  // whether the network swaps the input's axes
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].output.rank() == 3 && layers[i].output[0] * layers[i].output[1] > 1) last = i;
    turned = turned || layers[i].layer->type() == "permute";
  }
  require(last < layers.size(), "class activation: no layer of the network has two axes of positions");
  Tensor x = input;
  Tensor looked_at;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    // The score is taken before the last activation function, as the paper has it.
    x = i + 1 < layers.size() ? layers[i].layer->forward(x) : layers[i].layer->pre_activation(x, {});
    if (i == last) looked_at = x;
  }
  require(label >= 0 && label < x.shape()[1], "class activation: class {} of {}", label, x.shape()[1]);
  const Tensor score = sum(slice(x, {.axis = 1, .begin = label, .end = label + 1}));
  const Tensor gradient = grad(score, {looked_at}).front();
  const ClassActivation map = weigh(looked_at.detach().to(Device::cpu), gradient.to(Device::cpu));
  return turned ? transposed(map) : map;
}

namespace {

// Place i of `to` among `from`, the middles of the outermost being the ends: the place below it, and how far behind that.
std::pair<int64_t, double> place_between(int64_t i, int64_t to, int64_t from) {
  const double middle = (static_cast<double>(i) + 0.5) * static_cast<double>(from) / static_cast<double>(to) - 0.5;
  const double place = std::clamp(middle, 0.0, static_cast<double>(from - 1));
  const auto below = std::min(static_cast<int64_t>(place), std::max<int64_t>(from - 2, 0));
  return {below, place - static_cast<double>(below)};
}

}  // namespace

ClassActivation interpolate(const ClassActivation& map, int64_t rows, int64_t columns) {
  ClassActivation result{rows, columns, std::vector<float>(static_cast<std::size_t>(rows * columns))};
  const auto at = [&](int64_t row, int64_t column) -> double {
    return map.values[static_cast<std::size_t>(std::min(row, map.rows - 1) * map.columns +
                                               std::min(column, map.columns - 1))];
  };
  for (int64_t row = 0; row < rows; ++row) {
    const auto [r, down] = place_between(row, rows, map.rows);
    for (int64_t column = 0; column < columns; ++column) {
      const auto [c, right] = place_between(column, columns, map.columns);
      const double upper = (1 - right) * at(r, c) + right * at(r, c + 1);
      const double lower = (1 - right) * at(r + 1, c) + right * at(r + 1, c + 1);
      result.values[static_cast<std::size_t>(row * columns + column)] =
          static_cast<float>((1 - down) * upper + down * lower);
    }
  }
  return result;
}

}  // namespace melgrad
