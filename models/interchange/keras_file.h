// Weights that Keras has saved: the older .h5 files of Keras 1 and 2 (and of `legacy` savers since), as described at
// https://keras.io/api/models/model_saving_apis/weights_saving_and_loading/ and in Keras's hdf5_format.py.
//
// The root, or its group "model_weights" in files that hold a whole model, has an attribute `layer_names`; each layer's
// group an attribute `weight_names`, whose entries are paths of datasets within the group. Long attributes are cut into
// layer_names0, layer_names1 and so on.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace melgrad {

struct KerasWeight {
  std::string name;  // as the file has it: "conv2d_1/kernel:0"
  Tensor values;     // f32
};

struct KerasLayer {
  std::string name;
  std::vector<KerasWeight> weights;  // in the file's order
};

// The layers that have weights, in the file's order. Throws Error naming the file if it is no such file; a file of the
// newer .weights.h5 layout is told apart.
std::vector<KerasLayer> read_keras_file(const std::filesystem::path& path);

}  // namespace melgrad
