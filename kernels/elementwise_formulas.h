// The formula of each elementwise operation, written once for the reference, the CPU and the CUDA kernels.
#pragma once

#include "kernels/elementwise.h"
#include "kernels/host_device.h"

namespace melgrad {

template <Binary operation, class T>
MELGRAD_HOST_DEVICE inline T combine(T a, T b) {
  if constexpr (operation == Binary::add) return a + b;
  if constexpr (operation == Binary::subtract) return a - b;
  if constexpr (operation == Binary::multiply) return a * b;
  if constexpr (operation == Binary::divide) return a / b;
}

// Calls body.operator()<operation>() with the run-time choice as a template argument.
template <class Body>
void with_binary(Binary operation, const Body& body) {
  switch (operation) {
    case Binary::add:
      return body.template operator()<Binary::add>();
    case Binary::subtract:
      return body.template operator()<Binary::subtract>();
    case Binary::multiply:
      return body.template operator()<Binary::multiply>();
    case Binary::divide:
      return body.template operator()<Binary::divide>();
  }
}

}  // namespace melgrad
