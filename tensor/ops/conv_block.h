#pragma once

#include <optional>

#include "kernels/conv_block.h"
#include "tensor/ops/block.h"

namespace melgrad {

// What a block hands on in training: y* with its norm still to be applied (kernels/conv_block.h). On the tape `values`
// stands for z = f(scale · (values - center) + shift): the gradient that flows to it is z's.
struct PendingBlock {
  Tensor values;
  Tensor center{}, scale{}, shift{};  // undefined: the values are z already
  ActivationChoice activation = Activation::linear;
};

// z itself, for whoever cannot take the norm in.
Tensor apply_norm(const PendingBlock& x);

// A first block (kernels/first_block.h) in front of another, which computes it as it reads it (conv_block_reads_first()).
struct FirstBlock {
  BlockTensors tensors;
  BlockOptions options;
};

// Convolution, batch norm, activation and max pool as one operation, where conv_block_applies(); `first` and what is behind
// it as one. Training updates the running statistics; gradients for x, weight, gamma, beta and bias.
PendingBlock conv_block_train(const PendingBlock& x, BlockTensors tensors, const BlockOptions& options,
                              const FirstBlock* first = nullptr);

// What inference makes of a block's layers: kept from call to call, and made anew once any of them has been written to (a
// write through a pointer that was taken before the last call is not seen). For one thread at a time.
class FoldedBlock {
 public:
  const Tensor& get(const BlockProblem& problem, const BlockTensors& tensors);
  void clear() { folded_ = Tensor(); }

 private:
  Tensor folded_;
  Conv2dProblem conv_;  // of one sample
  // Not the storage's address alone: another may come to lie there.
  struct Written {
    std::weak_ptr<Storage> storage;
    uint64_t version;
  };
  std::vector<Written> seen_;
};

// The same by the running statistics; has no gradient.
Tensor conv_block_infer(const Tensor& x, const BlockTensors& tensors, const BlockOptions& options, FoldedBlock& folded,
                        const FirstBlock* first = nullptr);

}  // namespace melgrad
