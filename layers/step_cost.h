// What layers must cost at least in a training step, so that a profile can say how far from the machine's limit they are.
//
// Flops are the definition's, whatever the algorithm: Winograd may beat them. Bytes are compulsory traffic of the layers
// taken as one operation: what lies between fused layers costs nothing.
#pragma once

#include <span>

#include "kernels/cost.h"
#include "layers/sequential.h"

namespace melgrad {

// Layers in a row that run as one, f32: their first's input, their last's output, their parameters.
Cost forward_cost(std::span<const Sequential::Entry> layers, int64_t batch);

// Reads the gradient of the output, the input and the parameters; writes their gradients. `data`: whether that of the
// input is wanted, which the first layers of a network do not need. A product has one product for each gradient.
Cost backward_cost(std::span<const Sequential::Entry> layers, int64_t batch, bool data);

bool has_parameters(const Layer& layer);  // that are trained

}  // namespace melgrad
