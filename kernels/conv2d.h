// Convolution 2-D (cross-correlation, as every deep learning framework means it), channels-last:
//
//   y[n, i, j, o] = Σ_{p, q, c} x[n, rows.input(i, p), columns.input(j, q), c] · w[p, q, c, o]
//
// x (n, h, w, c), weight (kh, kw, c / groups, o), y (n, h_out, w_out, o). Elements outside x are zero. With groups, c and
// o are cut into as many equal pieces, and piece g of y sees piece g of x alone; groups = c is a depthwise convolution.
// Outputs are overwritten and do not overlap inputs. Bias is bias.h's.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "kernels/cost.h"
#include "kernels/stream.h"
#include "kernels/view.h"
#include "kernels/window.h"

namespace melgrad {

struct Conv2dProblem {
  int64_t n = 1, h = 1, w = 1, c = 1;  // input
  int64_t o = 1;                       // output channels
  Window rows, columns;                // along h and w
  int64_t groups = 1;

  constexpr int64_t h_out() const { return rows.output(h); }
  constexpr int64_t w_out() const { return columns.output(w); }
  constexpr int64_t taps() const { return rows.size * columns.size; }
  constexpr int64_t group_c() const { return c / groups; }
  constexpr int64_t group_o() const { return o / groups; }
  Shape x_shape() const { return {n, h, w, c}; }
  Shape weight_shape() const { return {rows.size, columns.size, group_c(), o}; }
  Shape y_shape() const { return {n, h_out(), w_out(), o}; }
  constexpr bool operator==(const Conv2dProblem&) const = default;
};

// A convolution of width 1, as a Conv1D is one, seen as one of height 1: the same memory, the long axis contiguous in
// channels. Any other problem is returned as it is.
constexpr Conv2dProblem as_one_row(Conv2dProblem problem) {
  if (problem.w != 1 || problem.columns != Window{}) return problem;
  std::swap(problem.h, problem.w);
  std::swap(problem.rows, problem.columns);
  return problem;
}

enum class ConvAlgorithm : uint8_t {
  automatic,      // by fixed rules; see kernels/cpu/conv2d.cpp and kernels/cuda/conv2d.cu
  direct,         // sums of products where they lie. cpu: of stride and dilation 1, one group; cuda, simt: of any problem
  im2col,         // cpu: patches copied into a matrix, one matrix product
  implicit_gemm,  // cuda, simt: one matrix product whose patches are fetched from where they lie
  strided_gemm,   // cuda, simt: the same for one dimension, where patches are overlapping rows of memory
  winograd_f4,    // cpu: F(4, 3) along columns 3 wide, F(5, 2) along 2; f32 rounds about 3 times as much as direct sums
  winograd_f6,    // cpu: F(6, 3) and F(7, 2), about 4 times; both bounds are kernels/reference/winograd.h's
  tensor_core,    // cuda, simt: implicit_gemm of operands rounded to bf16, summed in f32; never `automatic`
  cudnn,          // cuda (simt: a stand-in): the library, where it is found; deterministic; never `automatic`
  cudnn_tf32,     // the same of operands rounded to TF32
};

template <>
inline constexpr EnumNames<ConvAlgorithm, 10> enum_names<ConvAlgorithm>{
    {{ConvAlgorithm::automatic, "automatic"},
     {ConvAlgorithm::direct, "direct"},
     {ConvAlgorithm::im2col, "im2col"},
     {ConvAlgorithm::implicit_gemm, "implicit_gemm"},
     {ConvAlgorithm::strided_gemm, "strided_gemm"},
     {ConvAlgorithm::winograd_f4, "winograd_f4"},
     {ConvAlgorithm::winograd_f6, "winograd_f6"},
     {ConvAlgorithm::tensor_core, "tensor_core"},
     {ConvAlgorithm::cudnn, "cudnn"},
     {ConvAlgorithm::cudnn_tf32, "cudnn_tf32"}}};

// The algorithms built for a device, `automatic` aside; empty if the device has no convolution. Asking for another is an
// error.
std::span<const ConvAlgorithm> conv2d_algorithms(Device device);

// Those of them that compute this problem: tests and benches iterate over this.
std::vector<ConvAlgorithm> conv2d_algorithms(Device device, const Conv2dProblem& problem);

// What `automatic` is for this problem in f32.
ConvAlgorithm conv2d_automatic(Device device, const Conv2dProblem& problem);

void conv2d_forward(Stream& stream, const Conv2dProblem& problem, ConstView x, ConstView weight, View y,
                    ConvAlgorithm algorithm = ConvAlgorithm::automatic);

// dx = the gradient of <dy, y> with respect to x.
void conv2d_backward_data(Stream& stream, const Conv2dProblem& problem, ConstView dy, ConstView weight, View dx,
                          ConvAlgorithm algorithm = ConvAlgorithm::automatic);

// dweight = the gradient of <dy, y> with respect to the weight. Summed over fixed chunks of samples, in order.
void conv2d_backward_weight(Stream& stream, const Conv2dProblem& problem, ConstView dy, ConstView x, View dweight,
                            ConvAlgorithm algorithm = ConvAlgorithm::automatic);

// The same for all three directions: 2 flops a tap (taps in the padding counted), x, weight and y moved once.
constexpr Cost conv2d_cost(const Conv2dProblem& p, int64_t element_size) {
  const int64_t outputs = p.n * p.h_out() * p.w_out() * p.o;
  return {2 * outputs * p.taps() * p.group_c(),
          (p.n * p.h * p.w * p.c + p.taps() * p.group_c() * p.o + outputs) * element_size};
}

// What a device implements. The checks have been made and the algorithm is one of `algorithms` that supports the problem.
struct Conv2dFunctions {
  std::span<const ConvAlgorithm> algorithms;
  bool (*supports)(const Conv2dProblem&, ConvAlgorithm);  // one of `algorithms`
  ConvAlgorithm (*automatic)(const Conv2dProblem&);
  void (*forward)(Stream&, const Conv2dProblem&, ConstView x, ConstView weight, View y, ConvAlgorithm);
  void (*backward_data)(Stream&, const Conv2dProblem&, ConstView dy, ConstView weight, View dx, ConvAlgorithm);
  void (*backward_weight)(Stream&, const Conv2dProblem&, ConstView dy, ConstView x, View dweight, ConvAlgorithm);
};

}  // namespace melgrad
