// A convolution as its four descriptors give it, checked; and which algorithms compute it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/simt/libraries/cudnn_objects.h"

namespace melgrad::simt {

enum class ConvolutionPass : uint8_t { forward, data, filter };

struct ConvolutionProblem {
  // (n, c, h, w), (k, c / groups, r, s) and (n, k, p, q), and how far apart neighbours lie along each.
  std::array<int64_t, 4> x, w, y, x_strides, w_strides, y_strides;
  int64_t pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w, groups;
  bool flipped;  // a convolution proper: the filter is turned around
  bool filter_nhwc;
  cudnnMathType_t math;

  int64_t w_bytes() const { return w[0] * w[1] * w[2] * w[3] * 4; }
  bool nhwc() const;  // all three, x and y packed along h, w and c
};

// x, w and y are dx, dw or dy where the pass has those. Not all is f32: not supported.
cudnnStatus_t make_problem(const cudnnTensorDescriptor_t x, const cudnnFilterDescriptor_t w,
                           const cudnnConvolutionDescriptor_t convolution, const cudnnTensorDescriptor_t y,
                           ConvolutionProblem& problem);

// One way to compute it: the value of the pass's enumeration, with the problem's math type.
struct ConvolutionMethod {
  int algorithm = 0;
  bool supported = false;
  bool deterministic = true;
  int64_t workspace = 0;  // bytes; depends on the math type too
};
ConvolutionMethod method_for(ConvolutionPass pass, int algorithm, const ConvolutionProblem& problem);

// Results of the algorithm queries: the expected fastest first.
struct RankedMethod {
  ConvolutionMethod method;
  cudnnMathType_t math;
};
std::vector<RankedMethod> ranked_methods(ConvolutionPass pass, const ConvolutionProblem& problem);
int most_ranked_methods(ConvolutionPass pass);

}  // namespace melgrad::simt
