// An optimizer's step over all parameters on the CPU: one after the other.
#pragma once

#include <span>

#include "kernels/elementwise.h"

namespace melgrad::cpu {

// update(one) of each, after what decoupled weight decay does.
template <class Update, class Function>
void each_update(Stream& stream, std::span<const Update> updates, const Function& update) {
  for (const Update& one : updates) {
    if (one.keep != 1) elementwise_scale(stream, one.keep, one.weight, one.weight);
    update(one);
  }
}

}  // namespace melgrad::cpu
