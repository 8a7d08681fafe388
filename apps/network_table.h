// A network layer by layer, for people: what summary prints and a report shows.
#pragma once

#include <string>
#include <vector>

#include "layers/sequential.h"

namespace melgrad {

int64_t parameter_count(const Layer& layer);

// The header, then a row a layer: name, output shape, parameters, flops, bytes of its output in f32.
std::vector<std::vector<std::string>> network_rows(const Sequential& network);

}  // namespace melgrad
