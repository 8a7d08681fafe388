// Layer: parameters and state around operations of tensor/.
//
// A layer is made from its options, then built for an input shape, which creates its parameters. Shapes here are those
// of one sample, without the batch.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/philox.h"
#include "layers/activation_function.h"
#include "tensor/tensor.h"

namespace melgrad {

// A tensor of a layer or network: a parameter, or a buffer such as a running mean (not trainable). The tensor is the
// layer's own: writing to it changes the layer.
struct NamedTensor {
  std::string name;
  Tensor tensor;
  bool trainable = true;
};

struct BuildOptions {
  uint64_t seed = 0;
  DType dtype = DType::f32;
  Device device = Device::cpu;
};

// What a layer is built for. Layers that draw random numbers are numbered in the order they are built; each has its own
// stream, so that adding a layer at the end leaves the weights before it as they were.
struct BuildContext : BuildOptions {
  uint32_t next_stream = 0;

  explicit BuildContext(const BuildOptions& options) : BuildOptions(options) {}
  Generator next_generator() { return Generator(seed, Draw::weights, next_stream++); }
  uint32_t next_index() { return next_stream++; }
};

// One pass through a network. Dropout draws the mask of (seed, its layer, step): the same for the same step, so a
// resumed training or a repeated forward pass sees the same mask.
struct Pass {
  bool training = false;
  uint64_t seed = 0;
  uint32_t step = 0;
  bool fuse = false;  // neighbouring layers as one operation, as the trainer asks; see layers/fusion.h
};

class Layer {
 public:
  virtual ~Layer() = default;

  // The layer's class in snake case, as in a [[layer]] table.
  virtual std::string_view type() const = 0;

  // Creates the parameters for inputs of this shape and returns the shape of the outputs; throws if it cannot be.
  virtual Shape build(const Shape& input, BuildContext& context) = 0;

  // The output before the layer's own activation function. Losses that contain a softmax or sigmoid start from this.
  virtual Tensor pre_activation(const Tensor& x, const Pass& pass) = 0;
  virtual ActivationFunction activation() const { return ActivationFunction::linear; }

  Tensor forward(const Tensor& x, const Pass& pass = {}) {
    return apply_activation(activation(), pre_activation(x, pass));
  }

  // Parameters and buffers, in a fixed order.
  virtual std::vector<NamedTensor> state() const { return {}; }

  // Floating-point operations of the forward pass of one sample.
  virtual int64_t flops(const Shape& /*input*/) const { return 0; }
};

}  // namespace melgrad
