// A network as a table of its layers, for comparison with what a paper or released code states.
#pragma once

#include <string>

#include "layers/sequential.h"

namespace melgrad::test {

// A line a layer: name, output shape without the batch, parameters (running statistics included).
std::string layer_table(const Sequential& network);

// Builds a model of the registry at its published input and compares it with `table` (after its first line break).
void check_layers(const std::string& model, int64_t parameters, int64_t trainable, const std::string& table);

}  // namespace melgrad::test
