#include "layers/step_cost.h"

#include <algorithm>

#include "layers/reshape.h"

namespace melgrad {
namespace {

constexpr int64_t element = size_of(DType::f32);

int64_t parameter_count(std::span<const Sequential::Entry> layers) {
  int64_t count = 0;
  for (const Sequential::Entry& entry : layers)
    for (const NamedTensor& named : entry.layer->state())
      if (named.trainable) count += named.tensor.numel();
  return count;
}

// Another shape of the same memory.
bool only_reshapes(std::span<const Sequential::Entry> layers) {
  return std::all_of(layers.begin(), layers.end(), [](const Sequential::Entry& entry) {
    return dynamic_cast<const Flatten*>(entry.layer.get()) != nullptr ||
           dynamic_cast<const Reshape*>(entry.layer.get()) != nullptr;
  });
}

}  // namespace

bool has_parameters(const Layer& layer) {
  const auto state = layer.state();
  return std::any_of(state.begin(), state.end(), [](const NamedTensor& named) { return named.trainable; });
}

Cost forward_cost(std::span<const Sequential::Entry> layers, int64_t batch) {
  if (only_reshapes(layers)) return {};
  Cost cost;
  for (const Sequential::Entry& entry : layers) cost.flops += batch * entry.layer->flops(entry.input);
  cost.bytes =
      element * (batch * (layers.front().input.numel() + layers.back().output.numel()) + parameter_count(layers));
  return cost;
}

Cost backward_cost(std::span<const Sequential::Entry> layers, int64_t batch, bool data) {
  if (only_reshapes(layers)) return {};
  Cost cost;
  bool wanted = data;  // the gradient of this layer's input
  for (const Sequential::Entry& entry : layers) {
    const bool trained = has_parameters(*entry.layer);
    cost.flops += (static_cast<int>(wanted) + static_cast<int>(trained)) * batch * entry.layer->flops(entry.input);
    wanted = wanted || trained;
  }
  const int64_t parameters = parameter_count(layers);
  if (!data && parameters == 0) return {};
  const int64_t input = batch * layers.front().input.numel(), output = batch * layers.back().output.numel();
  cost.bytes = element * (output + input + (data ? input : 0) + 2 * parameters);
  return cost;
}

}  // namespace melgrad
