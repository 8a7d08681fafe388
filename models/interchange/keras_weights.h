// Keras's weights in this project's layouts and under a network's names.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "layers/sequential.h"
#include "models/interchange/keras_file.h"

namespace melgrad {

enum class KernelOrder : uint8_t {
  tensorflow,  // (kernel…, in, out), a cross-correlation: Keras 2 and 3, and Keras 1 on TensorFlow
  theano,  // (out, in, kernel…), a true convolution: flipped along each axis; Keras 1 on Theano. A dense layer behind
           // a flatten layer has its rows in the order (c, h, w). An even kernel with padding `same` lies one element
           // earlier there: the network must say so with padding by amounts
};

template <>
inline constexpr EnumNames<KernelOrder, 2> enum_names<KernelOrder>{
    {{KernelOrder::tensorflow, "tensorflow"}, {KernelOrder::theano, "theano"}}};

// From Keras's layer to the network's, by name.
using LayerMapping = std::map<std::string, std::string>;

// What Sequential::load takes. Layers with weights are paired by their order, or where `mapping` is not empty as it
// says. Known forms: kernel and bias of convolutions and dense layers; batch normalisation, whose variance Keras 1 calls
// running_std; a GRU as three arrays, or as Keras 1's nine. Throws Error naming both layers if a count or shape does not
// fit.
std::map<std::string, Tensor> from_keras(const Sequential& network, const std::vector<KerasLayer>& layers,
                                         KernelOrder order = KernelOrder::tensorflow, const LayerMapping& mapping = {});

}  // namespace melgrad
