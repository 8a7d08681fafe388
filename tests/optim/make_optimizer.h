// Optimizers of chosen options, to be made later for some parameters.
#pragma once

#include <functional>
#include <memory>

#include "optim/adadelta.h"
#include "optim/adam.h"
#include "optim/rmsprop.h"
#include "optim/sgd.h"

namespace melgrad::test {

using MakeOptimizer = std::function<std::unique_ptr<Optimizer>(std::vector<Parameter>)>;

template <class O, class Options>
MakeOptimizer maker(Options options) {
  return [=](std::vector<Parameter> parameters) { return std::make_unique<O>(std::move(parameters), options); };
}
inline MakeOptimizer sgd(SgdOptions options) {
  return maker<Sgd>(options);
}
inline MakeOptimizer adam(AdamOptions options) {
  return maker<Adam>(options);
}
inline MakeOptimizer adadelta(AdadeltaOptions options) {
  return maker<Adadelta>(options);
}
inline MakeOptimizer rmsprop(RmspropOptions options) {
  return maker<Rmsprop>(options);
}

}  // namespace melgrad::test
