// What a trained network looks at, for pictures.
#pragma once

#include <vector>

#include "layers/sequential.h"

namespace melgrad {

// Magnitude responses of the filters of a network's first convolution 1-D, sorted by the centroid of their spectrum.
struct FilterResponses {
  int64_t filters = 0, bins = 0;
  std::vector<float> values{};  // (filters, bins), each filter's largest 1; bins even from 0 to half the sample rate
};
// Throws Error if the network does not begin with a convolution of raw samples.
FilterResponses first_filter_responses(const Sequential& network, int64_t bins);

// Which places of an input speak for a class: Grad-CAM, Selvaraju et al., ICCV 2017, equations 1 and 2, at the last layer
// that still has two axes of positions. Scaled to 0 … 1.
struct ClassActivation {
  int64_t rows = 0, columns = 0;  // along the axes of the network's input
  std::vector<float> values{};
};
// input: one sample with its batch axis. Throws Error for networks without such a layer.
ClassActivation class_activation(Sequential& network, const Tensor& input, int64_t label);

// A map at so many places, between its own by bilinear interpolation, as the paper lays it over the input.
ClassActivation interpolate(const ClassActivation& map, int64_t rows, int64_t columns);

}  // namespace melgrad
