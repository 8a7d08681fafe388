// How kernels/<op>.cpp finds the functions of an operation on a device.
//
// An operation has one struct of function pointers, say ActivationFunctions. The `cpu` and `simt` devices give theirs
// at link time, as `cpu::activation_functions` and `simt::activation_functions`. The `cuda` device is a module opened
// at run time; it exports the struct as the symbol `melgrad_activation`. No table lists all operations.
#pragma once

#include <string>

#include "kernels/device.h"

namespace melgrad {

// The address of an exported symbol of the CUDA module; throws Error with the reason why there is none.
const void* cuda_symbol(const std::string& symbol);

// `cpu` and `simt` may be null where an operation has no implementation for that device yet.
template <class Functions>
const Functions& functions_for(const char* operation, Device device, const Functions* cpu, const Functions* simt) {
  if (device == Device::cuda) return *static_cast<const Functions*>(cuda_symbol(std::string("melgrad_") + operation));
  const Functions* functions = device == Device::cpu ? cpu : simt;
  require(functions != nullptr, "{}: not implemented on device {}", operation, name_of(device));
  return *functions;
}

}  // namespace melgrad
