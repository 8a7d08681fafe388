// Checkpointing: memory for time. Chen, Xu, Zhang and Guestrin, "Training deep nets with sublinear memory cost",
// arXiv:1604.06174.
//
// The tape keeps what each operation's gradient needs, so a forward pass holds the activations of the whole network.
// A checkpointed segment keeps its inputs alone; when backward reaches it, its forward pass runs a second time, on the
// tape, and is walked at once. A network of n equal segments then holds n inputs and the activations of one segment,
// for one more forward pass.
#pragma once

#include <functional>
#include <vector>

#include "tensor/tensor.h"

namespace melgrad {

using Segment = std::function<Tensor(const std::vector<Tensor>& inputs)>;

// segment(inputs), with gradients for the inputs and for every other tensor that the segment reads (weights of layers,
// results of earlier operations). Segments nest.
//
// The segment must compute the same result each time. Dropout does, its mask being a function of seed and step; running
// statistics are updated in the first pass alone. What the segment holds by reference must live until backward, and what
// requires a gradient must keep its numbers: both passes see the same, or backward is an error.
Tensor checkpoint(Segment segment, const std::vector<Tensor>& inputs);

}  // namespace melgrad
