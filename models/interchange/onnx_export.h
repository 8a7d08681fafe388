// A network as an ONNX model, for other programs to run: its forward pass in inference, softmax or sigmoid included.
//
// Input "input" (batch, sample…) and output "output" (batch, outputs…), float32, in this project's channels-last layout;
// the batch's size is free. Inside, ONNX's convolutions and pools are channels-first: a transpose stands where the layout
// changes, and element-wise operations take either.
#pragma once

#include <map>
#include <string>

#include "layers/sequential.h"

namespace melgrad {

// The bytes of the .onnx file. `metadata` is free text, such as the labels. Throws Error naming the layer for one that
// has no ONNX form here.
std::string export_onnx(const Sequential& network, const std::string& name,
                        const std::map<std::string, std::string>& metadata = {});

}  // namespace melgrad
