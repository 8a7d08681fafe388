// Gradient clipping: between backward() and step().
#pragma once

#include "optim/optimizer.h"

namespace melgrad {

// The length of all gradients taken as one vector.
double gradient_norm(const std::vector<Parameter>& parameters);

// Scales all gradients by limit/norm where their common norm is above the limit: Pascanu, Mikolov and Bengio, ICML 2013,
// algorithm 1; PyTorch's clip_grad_norm_ (which adds 1e-6 to the norm), Keras's global_clipnorm. Returns the norm.
double clip_by_global_norm(std::vector<Parameter>& parameters, double limit);

// Each gradient by its own norm: Keras's clipnorm.
void clip_each_by_norm(std::vector<Parameter>& parameters, double limit);

// Each element to -limit … limit.
void clip_by_value(std::vector<Parameter>& parameters, double limit);

}  // namespace melgrad
