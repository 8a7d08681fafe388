#include "layers/sequential.h"

#include <algorithm>

#include "kernels/memory.h"
#include "layers/fusion.h"
#include "layers/layer_watch.h"

namespace melgrad {

Sequential& Sequential::add_layer(std::unique_ptr<Layer> layer, const std::string& name) {
  std::string own_name = name;
  if (own_name.empty()) {
    const auto same_type = std::count_if(entries_.begin(), entries_.end(),
                                         [&](const Entry& entry) { return entry.layer->type() == layer->type(); });
    own_name = fmt::format("{}_{}", layer->type(), same_type + 1);
  }
  for (const Entry& entry : entries_) require(entry.name != own_name, "sequential: two layers named '{}'", own_name);
  entries_.push_back({own_name, std::move(layer), {}, {}});
  return *this;
}

Shape Sequential::build(const Shape& input, const BuildOptions& options) {
  BuildContext context(options);
  return build(input, context);
}

Shape Sequential::build(const Shape& input, BuildContext& context) {
  require(!entries_.empty(), "sequential: no layers");
  input_ = input;
  Shape shape = input;
  for (Entry& entry : entries_) {
    entry.input = shape;
    try {
      shape = entry.layer->build(shape, context);
    } catch (const Error& error) {
      fail("layer '{}': {}", entry.name, error.what());
    }
    entry.output = shape;
  }
  output_ = shape;
  return shape;
}

Tensor Sequential::pre_activation(const Tensor& x, const Pass& pass) {
  require(!entries_.empty() && entries_.back().output.rank() > 0, "sequential: build() it before use");
  if (x.shape().rank() == 0 || x.shape().without_batch() != input_) {
    fail("network: the input is {}, expected a batch of {}", x.shape().to_string(), input_.to_string());
  }
  PendingBlock y{x};
  std::size_t i = 0;
  while (i + 1 < entries_.size()) {
    if (const auto block = find_block(entries_, i, y.values, pass)) {
      const WatchedLayers watched(*this, i, block->layers);
      y = block->forward(y, pass);
      i += block->layers;
    } else {
      const WatchedLayers watched(*this, i, 1);
      y = {entries_[i++].layer->forward(apply_norm(y), pass)};
    }
  }
  const Tensor last = apply_norm(y);
  if (i == entries_.size()) return last;  // a block was the end, whose pool has no activation
  const WatchedLayers watched(*this, i, 1);
  return entries_.back().layer->pre_activation(last, pass);
}

ActivationFunction Sequential::activation() const {
  return entries_.empty() ? ActivationFunction::linear : entries_.back().layer->activation();
}

std::vector<NamedTensor> Sequential::state() const {
  std::vector<NamedTensor> all;
  for (const Entry& entry : entries_) {
    for (NamedTensor named : entry.layer->state()) {
      named.name = entry.name + "." + named.name;
      all.push_back(std::move(named));
    }
  }
  return all;
}

int64_t Sequential::flops(const Shape&) const {
  int64_t total = 0;
  for (const Entry& entry : entries_) total += entry.layer->flops(entry.input);
  return total;
}

std::vector<NamedTensor> Sequential::parameters() const {
  std::vector<NamedTensor> all = state();
  std::erase_if(all, [](const NamedTensor& named) { return !named.trainable; });
  return all;
}

int64_t Sequential::parameter_count() const {
  int64_t count = 0;
  for (const NamedTensor& named : state()) count += named.tensor.numel();
  return count;
}

int64_t Sequential::trainable_count() const {
  int64_t count = 0;
  for (const NamedTensor& named : parameters()) count += named.tensor.numel();
  return count;
}

void Sequential::load(const std::map<std::string, Tensor>& values, const std::string& source) {
  for (const NamedTensor& named : state()) {
    const auto found = values.find(named.name);
    require(found != values.end(), "{}: no tensor '{}', which the network has", source, named.name);
    const Tensor& value = found->second;
    if (value.shape() != named.tensor.shape() || value.dtype() != named.tensor.dtype()) {
      fail("{}: tensor '{}' is {} {}, the network's is {} {}", source, named.name, name_of(value.dtype()),
           value.shape().to_string(), name_of(named.tensor.dtype()), named.tensor.shape().to_string());
    }
  }
  // All or nothing.
  for (NamedTensor& named : state()) copy(values.at(named.name).view(), named.tensor.mutable_view());
}

std::map<std::string, Tensor> Sequential::values() const {
  std::map<std::string, Tensor> values;
  for (const NamedTensor& named : state()) values[named.name] = named.tensor;
  return values;
}

}  // namespace melgrad
