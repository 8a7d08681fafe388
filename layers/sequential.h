// Sequential: layers in a row, built and named as one network.
//
//   Sequential network;
//   network.add(Conv2D({.filters = 16, .kernel = 3, .activation = ActivationFunction::relu}));
//   network.add(Flatten());
//   network.add(Dense({.units = 10, .activation = ActivationFunction::softmax}));
//   network.build({28, 28, 1}, {.seed = 1});
//   Tensor probabilities = network.forward(images);
#pragma once

#include <map>

#include "layers/layer.h"

namespace melgrad {

class Sequential : public Layer {
 public:
  // Named <type>_<n> unless given a name, n counting the layers of that type from 1.
  template <class L>
  Sequential& add(L layer, const std::string& name = "") {
    return add_layer(std::make_unique<L>(std::move(layer)), name);
  }
  Sequential& add_layer(std::unique_ptr<Layer> layer, const std::string& name = "");

  // For a network of its own: inputs of shape `input`, without the batch.
  Shape build(const Shape& input, const BuildOptions& options = {});

  std::string_view type() const override { return "sequential"; }
  Shape build(const Shape& input, BuildContext& context) override;
  Tensor pre_activation(const Tensor& x, const Pass& pass = {}) override;
  ActivationFunction activation() const override;
  std::vector<NamedTensor> state() const override;
  int64_t flops(const Shape& input) const override;

  // The tensors that an optimizer moves.
  std::vector<NamedTensor> parameters() const;
  int64_t parameter_count() const;  // all, running statistics included, as Keras counts
  int64_t trainable_count() const;

  // Copies values in by name; every tensor of the network must be there with its shape.
  void load(const std::map<std::string, Tensor>& values, const std::string& source);
  std::map<std::string, Tensor> values() const;

  struct Entry {
    std::string name;
    std::unique_ptr<Layer> layer;
    Shape input, output;
  };
  const std::vector<Entry>& layers() const { return entries_; }
  const Shape& input_shape() const { return input_; }
  const Shape& output_shape() const { return output_; }

 private:
  std::vector<Entry> entries_;
  Shape input_, output_;
};

}  // namespace melgrad
