// Neighbouring layers that run as one operation, equal to rounding to layer by layer.
//
// A block is a convolution without an activation of its own -> batch norm over channels -> an activation that never
// decreases (a layer, or none) -> max pool of windows that do not overlap (or none). SampleCNN and Choi's networks are
// rows of such blocks. Without a batch norm, as in the networks for keys and tags, the activation may be the convolution's
// own and the pool's windows may overlap: GTZAN's network has its batch norm behind them. A dense layer and its activation
// are such a block of one tap. Which operation runs a block depends on where it stands; see find_block(). The tensors
// between the layers are never made, and the convolution's bias, whose gradient is 0 under a batch norm, is left out there.
#pragma once

#include <optional>

#include "layers/sequential.h"
#include "tensor/ops/conv_block.h"

namespace melgrad {

class BatchNorm;
class ConvolutionLayer;

enum class BlockKind : uint8_t {
  first,      // tensor/ops/first_block.h: all in one, of one input channel, on the CPU
  conv,       // tensor/ops/conv_block.h: all in one; in training the norm stays pending
  norm_pool,  // the convolution, then tensor/ops/norm_pool.h: in training
  plain,      // tensor/ops/conv_pool.h: all in one, of blocks without a batch norm
};

struct FusedBlock {
  BlockKind kind;
  const ConvolutionLayer* convolution;
  BatchNorm* norm;  // or null
  ActivationChoice activation;
  Window rows, columns;                     // of the pool; 1 by 1 if there is none
  std::size_t layers;                       // how many it stands for, those of `first` included
  std::shared_ptr<const FusedBlock> first;  // the first block before a `conv`, where that computes it as it reads it

  PendingBlock forward(const PendingBlock& x, const Pass& pass) const;
};

// The block that starts at layer `first`, if there is one; x is that layer's input.
std::optional<FusedBlock> find_block(const std::vector<Sequential::Entry>& layers, std::size_t first, const Tensor& x,
                                     const Pass& pass);

}  // namespace melgrad
