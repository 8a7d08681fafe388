// Neighbouring layers that run as one operation, equal to rounding to layer by layer.
//
// In training: a convolution without an activation of its own -> batch norm over channels -> ReLU (a layer, or
// none) -> max pool of windows that do not overlap. SampleCNN and Choi's networks are rows of such blocks. The tensors
// between batch norm and pool are never made, and the convolution's bias, whose gradient is 0 there, is left out.
#pragma once

#include <optional>

#include "kernels/window.h"
#include "layers/sequential.h"

namespace melgrad {

class BatchNorm;
class ConvolutionLayer;

struct FusedBlock {
  const ConvolutionLayer* convolution;
  BatchNorm* norm;
  bool relu;
  Window rows, columns;
  std::size_t layers;  // how many it stands for

  Tensor forward(const Tensor& x) const;
};

// The block that starts at layer `first`, if there is one; x is that layer's input.
std::optional<FusedBlock> find_block(const std::vector<Sequential::Entry>& layers, std::size_t first, const Tensor& x,
                                     const Pass& pass);

}  // namespace melgrad
