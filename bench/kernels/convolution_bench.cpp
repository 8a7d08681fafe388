// Convolution and its bias on the shapes of the reference networks, every algorithm and direction.
#include "bench/kernels/operation_bench.h"
#include "kernels/bias.h"
#include "kernels/conv2d.h"
#include "kernels/reference/bias.h"
#include "kernels/reference/conv2d.h"

namespace melgrad::bench {
namespace {

using test::Inputs;
using test::OperationCase;
using test::Outputs;

struct NamedConvolution {
  const char* name;
  Conv2dProblem problem;
};

const NamedConvolution convolutions[] = {
    {"gtzan1", {32, 130, 13, 1, 48, {4}, {4}}},
    {"gtzan2", {32, 64, 5, 48, 32, {3}, {3}}},
    {"gtzan3", {32, 31, 2, 32, 16, {2}, {2}}},
    {"key1", {8, 88, 88, 1, 16, {2, 1, 1, 0, 1}, {2, 1, 1, 0, 1}}},
    {"key2", {8, 88, 88, 16, 32, {2, 1, 1, 0, 1}, {2, 1, 1, 0, 1}}},
    {"key3", {8, 44, 44, 32, 64, {2, 1, 1, 0, 1}, {2, 1, 1, 0, 1}}},
    {"key4", {8, 44, 44, 64, 32, {2, 1, 1, 0, 1}, {2, 1, 1, 0, 1}}},
    {"kw17_1", {8, 299, 105, 1, 8, {5, 1, 1, 2, 2}, {5, 1, 1, 2, 2}}},
    {"kw17_2", {8, 299, 105, 8, 8, {5, 1, 1, 2, 2}, {5, 1, 1, 2, 2}}},
    {"mtat1", {8, 683, 48, 1, 32, {3, 1, 1, 1, 1}, {3, 1, 1, 1, 1}}},
    {"mtat2", {8, 170, 24, 32, 64, {3, 1, 1, 1, 1}, {3, 1, 1, 1, 1}}},
    {"mtat3", {8, 42, 12, 64, 64, {3, 1, 1, 1, 1}, {3, 1, 1, 1, 1}}},
    {"samplecnn2", {8, 19683, 1, 128, 128, {3, 1, 1, 1, 1}, {}}},
    {"samplecnn4", {8, 2187, 1, 128, 256, {3, 1, 1, 1, 1}, {}}},
    {"samplecnn6", {8, 243, 1, 256, 256, {3, 1, 1, 1, 1}, {}}},
    {"samplecnn8", {8, 27, 1, 256, 256, {3, 1, 1, 1, 1}, {}}},
    {"choi2", {8, 48, 341, 32, 128, {3, 1, 1, 1, 1}, {3, 1, 1, 1, 1}}},
    {"choi3", {8, 24, 85, 128, 128, {3, 1, 1, 1, 1}, {3, 1, 1, 1, 1}}},
};

// Loops in f64 that take seconds are left to the tests.
constexpr int64_t most_checked_flops = 2'000'000'000;

std::vector<BenchCase> convolution_cases() {
  std::vector<BenchCase> cases;
  for (const auto& [name, p] : convolutions)
    for (ConvAlgorithm algorithm : conv2d_algorithms(bench_device(), p)) {
      const Shape x = p.x_shape(), w = p.weight_shape(), y = p.y_shape();
      const Cost cost = conv2d_cost(p, 4);
      const auto add = [&, n = name](const char* direction, const Shape& a, const Shape& b, const Shape& out) {
        // Operands rounded to 8 or 11 bits.
        const double bound = algorithm == ConvAlgorithm::tensor_core  ? 2e-2
                             : algorithm == ConvAlgorithm::cudnn_tf32 ? 2e-3
                                                                      : 1e-4;
        cases.push_back({{}, cost, bound});
        OperationCase& operation = cases.back().operation;
        operation.name = fmt::format("conv2d/{}/{}/{}", n, name_of(algorithm), direction);
        operation.inputs = {{a}, {b}};
        operation.outputs = {{out}};
        return &operation;
      };
      OperationCase* forward = add("forward", x, w, y);
      forward->run = [p = p, algorithm](Stream& stream, Inputs in, Outputs out) {
        conv2d_forward(stream, p, in[0], in[1], out[0], algorithm);
      };
      forward->reference = [p = p](Inputs in, Outputs out) {
        reference::conv2d_forward<double>(p, in[0], in[1], out[0]);
      };
      OperationCase* data = add("backward_data", y, w, x);
      data->run = [p = p, algorithm](Stream& stream, Inputs in, Outputs out) {
        conv2d_backward_data(stream, p, in[0], in[1], out[0], algorithm);
      };
      data->reference = [p = p](Inputs in, Outputs out) {
        reference::conv2d_backward_data<double>(p, in[0], in[1], out[0]);
      };
      OperationCase* weight = add("backward_weight", y, x, w);
      weight->run = [p = p, algorithm](Stream& stream, Inputs in, Outputs out) {
        conv2d_backward_weight(stream, p, in[0], in[1], out[0], algorithm);
      };
      weight->reference = [p = p](Inputs in, Outputs out) {
        reference::conv2d_backward_weight<double>(p, in[0], in[1], out[0]);
      };
      if (cost.flops > most_checked_flops)
        for (std::size_t i = cases.size() - 3; i < cases.size(); ++i) cases[i].operation.reference = nullptr;
    }
  return cases;
}

std::vector<BenchCase> bias_cases() {
  const Shape x{32, 127, 10, 48}, channels{48};
  const int64_t rows = 32 * 127 * 10;
  OperationCase forward;
  forward.name = "bias/gtzan1/forward";
  forward.inputs = {{x}, {channels}};
  forward.outputs = {{x}};
  forward.run = [](Stream& stream, Inputs in, Outputs out) { bias_forward(stream, in[0], in[1], out[0]); };
  forward.reference = [](Inputs in, Outputs out) { reference::bias_forward<double>(in[0], in[1], out[0]); };
  OperationCase backward;
  backward.name = "bias/gtzan1/backward";
  backward.inputs = {{x}};
  backward.outputs = {{channels}};
  backward.run = [](Stream& stream, Inputs in, Outputs out) { bias_backward(stream, in[0], out[0]); };
  backward.reference = [](Inputs in, Outputs out) { reference::bias_backward<double>(in[0], out[0]); };
  return {{forward, bias_forward_cost(rows, 48, 4)}, {backward, bias_backward_cost(rows, 48, 4)}};
}

const OperationBench convolution(convolution_cases);
const OperationBench bias(bias_cases);

}  // namespace
}  // namespace melgrad::bench
