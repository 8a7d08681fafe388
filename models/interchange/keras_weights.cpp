#include "models/interchange/keras_weights.h"

#include <algorithm>

#include "tensor/autograd.h"
#include "tensor/ops/movement.h"
#include "tensor/ops/reshape.h"

namespace melgrad {
namespace {

// The weight whose name ends in one of `endings`, before Keras's ":0"; undefined if there is none.
Tensor find_weight(const KerasLayer& layer, const std::vector<std::string>& endings) {
  for (const KerasWeight& weight : layer.weights) {
    const std::string name = weight.name.substr(0, weight.name.find(':'));
    for (const std::string& ending : endings)
      if (name.ends_with(ending)) return weight.values;
  }
  return {};
}

Tensor need_weight(const KerasLayer& layer, const std::vector<std::string>& endings) {
  const Tensor found = find_weight(layer, endings);
  require(found.defined(), "Keras layer '{}' has no weight '{}'", layer.name, endings.front());
  return found;
}

// Every axis but the last two reversed: from a convolution's kernel to a correlation's.
Tensor flip_kernel(const Tensor& kernel) {
  const Shape& shape = kernel.shape();
  const int64_t taps = shape.numel() / (shape[-1] * shape[-2]), row = shape[-1] * shape[-2];
  Tensor flipped = Tensor::empty_like(kernel);
  for (int64_t tap = 0; tap < taps; ++tap)  // in row-major order, reversing each axis reverses the order of the taps
    std::copy_n(kernel.data<float>().begin() + tap * row, row,
                flipped.mutable_data<float>().begin() + (taps - 1 - tap) * row);
  return flipped;
}

// Keras 1 keeps a Conv1D's kernel with an axis of 1 behind that of time.
Tensor without_unit_axis(const Tensor& kernel, int64_t rank) {
  if (kernel.shape().rank() != rank + 1 || kernel.shape()[1] != 1) return kernel;
  return kernel.with_shape({kernel.shape()[0], kernel.shape()[2], kernel.shape()[3]});
}

Tensor convolution_kernel(const Tensor& given, int64_t rank, KernelOrder order) {
  if (order == KernelOrder::tensorflow) return without_unit_axis(given, rank);
  std::vector<int64_t> axes;  // (out, in, kernel…) -> (kernel…, in, out)
  for (int64_t axis = 2; axis < given.shape().rank(); ++axis) axes.push_back(axis);
  axes.insert(axes.end(), {1, 0});
  return without_unit_axis(flip_kernel(transpose(given, axes)), rank);
}

// Rows (c, h, w) of a channels-first map that was flattened, to (h, w, c).
Tensor rows_to_channels_last(const Tensor& weight, const Shape& map) {
  const int64_t h = map[0], w = map[1], c = map[2], units = weight.shape()[1];
  return reshape(transpose(reshape(weight, {c, h, w, units}), {1, 2, 0, 3}), {h * w * c, units});
}

// Keras 1's W_z, U_z, b_z and so on, side by side.
Tensor join_gates(const KerasLayer& layer, const std::string& letter) {
  std::vector<Tensor> gates;
  for (const char* gate : {"_z", "_r", "_h"}) gates.push_back(need_weight(layer, {letter + gate}));
  return concatenate(gates, gates.front().shape().rank() - 1);
}

// ---------------------------------------------------------------------------------------------------------------------
// One layer.

using Tensors = std::vector<std::pair<std::string, Tensor>>;

Tensors convert_gru(const KerasLayer& layer) {
  if (layer.weights.size() == 9)
    return {{"kernel", join_gates(layer, "W")},
            {"recurrent_kernel", join_gates(layer, "U")},
            {"bias", join_gates(layer, "b")}};
  const Tensor recurrent = need_weight(layer, {"recurrent_kernel"});
  Tensor kernel;  // both names end in "kernel"
  for (const KerasWeight& weight : layer.weights)
    if (weight.name.find("kernel") != std::string::npos && weight.name.find("recurrent") == std::string::npos)
      kernel = weight.values;
  require(kernel.defined(), "Keras layer '{}' has no weight 'kernel'", layer.name);
  return {{"kernel", kernel}, {"recurrent_kernel", recurrent}, {"bias", need_weight(layer, {"bias"})}};
}

Tensors convert_batch_norm(const KerasLayer& layer) {
  return {{"gamma", need_weight(layer, {"gamma"})},
          {"beta", need_weight(layer, {"beta"})},
          {"running_mean", need_weight(layer, {"moving_mean", "running_mean"})},
          {"running_variance", need_weight(layer, {"moving_variance", "running_variance", "running_std"})}};
}

// `flattened`: the map that a flatten layer before a dense one was given; no axes if there is none.
Tensors convert_weighted(const KerasLayer& layer, const Layer& target, KernelOrder order, const Shape& flattened) {
  Tensor kernel = need_weight(layer, {"kernel", "_W"});
  if (target.type() == "dense") {
    const bool fits = kernel.shape().rank() == 2 && kernel.shape()[0] == flattened.numel();
    if (order == KernelOrder::theano && flattened.rank() == 3 && fits)
      kernel = rows_to_channels_last(kernel, flattened);
  } else {
    const int64_t rank = target.type() == "conv1d" ? 3 : 4;
    const auto given = kernel.shape().rank();
    if (given != rank && given != 4)
      fail("Keras layer '{}': a kernel {}, expected {} axes", layer.name, kernel.shape().to_string(), rank);
    kernel = convolution_kernel(kernel, rank, order);
  }
  Tensors tensors{{"weight", kernel}};
  const Tensor bias = find_weight(layer, {"bias", "_b"});
  if (bias.defined()) tensors.emplace_back("bias", bias);
  return tensors;
}

Tensors convert(const KerasLayer& layer, const Layer& target, KernelOrder order, const Shape& flattened) {
  const std::string_view type = target.type();
  if (type == "gru") return convert_gru(layer);
  if (type == "batch_norm") return convert_batch_norm(layer);
  if (type == "conv1d" || type == "conv2d" || type == "dense") return convert_weighted(layer, target, order, flattened);
  fail("a {} cannot be read from a Keras file", type);
}

// ---------------------------------------------------------------------------------------------------------------------
// The whole network.

struct Target {
  const Sequential::Entry* entry;
  Shape flattened;
};

std::vector<Target> targets_of(const Sequential& network) {
  std::vector<Target> targets;
  Shape flattened;
  for (const Sequential::Entry& entry : network.layers()) {
    if (entry.layer->type() == "flatten") flattened = entry.input;
    if (entry.layer->state().empty()) continue;
    targets.push_back({&entry, flattened});
    flattened = {};
  }
  return targets;
}

const KerasLayer& partner(const std::vector<KerasLayer>& layers, std::size_t index, const std::string& name,
                          const LayerMapping& mapping) {
  if (mapping.empty()) return layers[index];
  for (const KerasLayer& layer : layers) {
    const auto found = mapping.find(layer.name);
    if (found != mapping.end() && found->second == name) return layer;
  }
  fail("no Keras layer is mapped to '{}'", name);
}

void check_fit(const Sequential::Entry& entry, const KerasLayer& layer, const Tensors& tensors) {
  for (const NamedTensor& named : entry.layer->state()) {
    const auto found =
        std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.first == named.name; });
    require(found != tensors.end(), "Keras layer '{}' has no {} for '{}'", layer.name, named.name, entry.name);
    if (found->second.shape() != named.tensor.shape())
      fail("Keras layer '{}' does not fit '{}': its {} is {}, expected {}", layer.name, entry.name, named.name,
           found->second.shape().to_string(), named.tensor.shape().to_string());
  }
}

}  // namespace

std::map<std::string, Tensor> from_keras(const Sequential& network, const std::vector<KerasLayer>& layers,
                                         KernelOrder order, const LayerMapping& mapping) {
  const NoGrad no_grad;
  const std::vector<Target> targets = targets_of(network);
  require(!mapping.empty() || targets.size() == layers.size(),
          "the file has {} layers with weights ({} … {}) and the network {} ({} … {}); pair them with a mapping file",
          layers.size(), layers.front().name, layers.back().name, targets.size(), targets.front().entry->name,
          targets.back().entry->name);
  std::map<std::string, Tensor> values;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Sequential::Entry& entry = *targets[i].entry;
    const KerasLayer& layer = partner(layers, i, entry.name, mapping);
    Tensors tensors;
    try {
      tensors = convert(layer, *entry.layer, order, targets[i].flattened);
      check_fit(entry, layer, tensors);
    } catch (const Error& error) {
      fail("layer '{}': {}", entry.name, error.what());
    }
    for (const auto& [name, tensor] : tensors) values[entry.name + "." + name] = tensor;
  }
  return values;
}

}  // namespace melgrad
