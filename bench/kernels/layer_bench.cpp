// The operations between the convolutions of the GTZAN network, on its shapes at a batch of 32.
#include "bench/kernels/operation_bench.h"
#include "kernels/activation.h"
#include "kernels/batch_norm.h"
#include "kernels/dropout.h"
#include "kernels/elementwise.h"
#include "kernels/max_pool2d.h"
#include "kernels/reduce.h"
#include "kernels/reference/activation.h"
#include "kernels/reference/batch_norm.h"
#include "kernels/reference/dropout.h"
#include "kernels/reference/elementwise.h"
#include "kernels/reference/max_pool2d.h"
#include "kernels/reference/reduce.h"
#include "kernels/reference/softmax.h"
#include "kernels/reference/softmax_cross_entropy.h"
#include "kernels/softmax.h"
#include "kernels/softmax_cross_entropy.h"

namespace melgrad::bench {
namespace {

using test::Inputs;
using test::InputSpec;
using test::OperationCase;
using test::Outputs;
using test::OutputSpec;
using Function = std::function<void(Inputs, Outputs)>;
using Runner = std::function<void(Stream&, Inputs, Outputs)>;

BenchCase make_case(std::string name, std::vector<InputSpec> inputs, std::vector<OutputSpec> outputs, Runner run,
                    Function reference, const Cost& cost) {
  OperationCase operation;
  operation.name = std::move(name);
  operation.inputs = std::move(inputs);
  operation.outputs = std::move(outputs);
  operation.run = std::move(run);
  operation.reference = std::move(reference);
  return {std::move(operation), cost};
}

const Shape first{32, 127, 10, 48};    // after the first convolution
const Shape pooled{32, 64, 5, 48};     // after its pool
constexpr int64_t rows = 32 * 64 * 5;  // of the first batch norm

std::vector<BenchCase> activation_cases() {
  const int64_t n = first.numel();
  return {make_case(
              "activation/relu/forward", {{first}}, {{first}},
              [](Stream& s, Inputs in, Outputs out) { activation_forward(s, Activation::relu, in[0], out[0]); },
              [](Inputs in, Outputs out) { reference::activation_forward<double>(Activation::relu, in[0], out[0]); },
              activation_forward_cost(n, 4)),
          make_case(
              "activation/relu/backward", {{first}, {first}}, {{first}},
              [](Stream& s, Inputs in, Outputs out) { activation_backward(s, Activation::relu, in[0], in[1], out[0]); },
              [](Inputs in, Outputs out) {
                reference::activation_backward<double>(Activation::relu, in[0], in[1], out[0]);
              },
              activation_backward_cost(n, 4))};
}

std::vector<BenchCase> batch_norm_cases() {
  const Shape c{48};
  const InputSpec positive{c, test::positive_values()};
  return {make_case(
              "batch_norm/train_forward", {{pooled}, {c}, {c}}, {{pooled}, {c}, {c}},
              [](Stream& s, Inputs in, Outputs out) {
                batch_norm_train_forward(s, 1e-3, in[0], in[1], in[2], out[0], out[1], out[2]);
              },
              [](Inputs in, Outputs out) {
                reference::batch_norm_train_forward<double>(1e-3, in[0], in[1], in[2], out[0], out[1], out[2]);
              },
              batch_norm_forward_cost(rows, 48, 4)),
          make_case(
              "batch_norm/train_backward", {{pooled}, {c}, {c}, positive, {pooled}}, {{pooled}, {c}, {c}},
              [](Stream& s, Inputs in, Outputs out) {
                batch_norm_train_backward(s, 1e-3, in[0], in[1], in[2], in[3], in[4], out[0], out[1], out[2]);
              },
              [](Inputs in, Outputs out) {
                reference::batch_norm_backward<double>(true, 1e-3, in[0], in[1], in[2], in[3], in[4], out[0], out[1],
                                                       out[2]);
              },
              batch_norm_backward_cost(rows, 48, 4)),
          make_case(
              "batch_norm/infer_forward", {{pooled}, {c}, {c}, {c}, positive}, {{pooled}},
              [](Stream& s, Inputs in, Outputs out) {
                batch_norm_infer_forward(s, 1e-3, in[0], in[1], in[2], in[3], in[4], out[0]);
              },
              [](Inputs in, Outputs out) {
                reference::batch_norm_infer_forward<double>(1e-3, in[0], in[1], in[2], in[3], in[4], out[0]);
              },
              {2 * rows * 48, 2 * rows * 48 * 4})};
}

std::vector<BenchCase> max_pool_cases() {
  const Pool2dProblem p{32,
                        127,
                        10,
                        48,
                        padded({.size = 4, .stride = 2}, Padding::same, 127),
                        padded({.size = 4, .stride = 2}, Padding::same, 10)};
  return {
      make_case(
          "max_pool2d/gtzan1/forward", {{p.x_shape()}}, {{p.y_shape()}, {p.y_shape(), DType::i32}},
          [p](Stream& s, Inputs in, Outputs out) { max_pool2d_forward(s, p, in[0], out[0], out[1]); },
          [p](Inputs in, Outputs out) { reference::max_pool2d_forward<double>(p, in[0], out[0], out[1]); },
          max_pool2d_forward_cost(p, 4)),
      make_case(
          "max_pool2d/gtzan1/backward", {{p.y_shape()}, {p.y_shape(), test::label_values(16), true}}, {{p.x_shape()}},
          [p](Stream& s, Inputs in, Outputs out) { max_pool2d_backward(s, p, in[0], in[1], out[0]); },
          // Any winners do for timing, but these lie in the padding at the edges, where no network puts them.
          nullptr, max_pool2d_backward_cost(p, 4))};
}

std::vector<BenchCase> head_cases() {
  const Shape logits{32, 10}, loss{32};
  const InputSpec labels{loss, test::label_values(10), true};
  const Philox mask{1, Draw::dropout};
  const Shape wide{32, 4096};
  return {make_case(
              "dropout", {{wide}}, {{wide}},
              [mask](Stream& s, Inputs in, Outputs out) { dropout(s, 0.3, mask, in[0], out[0]); },
              [mask](Inputs in, Outputs out) { reference::dropout<double>(0.3, mask, in[0], out[0]); },
              dropout_cost(wide.numel(), 4)),
          make_case(
              "softmax/forward", {{logits}}, {{logits}},
              [](Stream& s, Inputs in, Outputs out) { softmax_forward(s, in[0], out[0]); },
              [](Inputs in, Outputs out) { reference::softmax_forward<double>(in[0], out[0]); },
              softmax_forward_cost(32, 10, 4)),
          make_case(
              "softmax_cross_entropy/forward", {{logits}, labels}, {{loss}, {logits}},
              [](Stream& s, Inputs in, Outputs out) { softmax_cross_entropy_forward(s, in[0], in[1], out[0], out[1]); },
              [](Inputs in, Outputs out) {
                reference::softmax_cross_entropy_forward<double>(in[0], in[1], out[0], out[1]);
              },
              softmax_cross_entropy_forward_cost(32, 10, 4)),
          make_case(
              "softmax_cross_entropy/backward", {{logits, test::positive_values()}, labels, {loss}}, {{logits}},
              [](Stream& s, Inputs in, Outputs out) { softmax_cross_entropy_backward(s, in[0], in[1], in[2], out[0]); },
              [](Inputs in, Outputs out) {
                reference::softmax_cross_entropy_backward<double>(in[0], in[1], in[2], out[0]);
              },
              softmax_cross_entropy_backward_cost(32, 10, 4))};
}

std::vector<BenchCase> arithmetic_cases() {
  const Shape channels{48}, sum{1, 1, 1, 48};
  const int64_t n = first.numel();
  return {
      make_case(
          "elementwise/add", {{first}, {first}}, {{first}},
          [](Stream& s, Inputs in, Outputs out) { elementwise_binary(s, Binary::add, in[0], in[1], out[0]); },
          [](Inputs in, Outputs out) { reference::elementwise_binary<double>(Binary::add, in[0], in[1], out[0]); },
          binary_cost(n, 4)),
      make_case(
          "elementwise/multiply/broadcast", {{first}, {channels}}, {{first}},
          [](Stream& s, Inputs in, Outputs out) { elementwise_binary(s, Binary::multiply, in[0], in[1], out[0]); },
          [](Inputs in, Outputs out) { reference::elementwise_binary<double>(Binary::multiply, in[0], in[1], out[0]); },
          {n, (2 * n + 48) * 4}),
      make_case(
          "reduce/sum/all", {{first}}, {{{1, 1, 1, 1}}},
          [](Stream& s, Inputs in, Outputs out) { reduce(s, Reduction::sum, in[0], out[0]); },
          [](Inputs in, Outputs out) { reference::reduce<double>(Reduction::sum, in[0], out[0]); },
          reduce_cost(n, 1, 4)),
      make_case(
          "reduce/mean/rows", {{first}}, {{sum}},
          [](Stream& s, Inputs in, Outputs out) { reduce(s, Reduction::mean, in[0], out[0]); },
          [](Inputs in, Outputs out) { reference::reduce<double>(Reduction::mean, in[0], out[0]); },
          reduce_cost(n, 48, 4))};
}

const OperationBench activations(activation_cases);
const OperationBench batch_norms(batch_norm_cases);
const OperationBench max_pools(max_pool_cases);
const OperationBench heads(head_cases);
const OperationBench arithmetic(arithmetic_cases);

}  // namespace
}  // namespace melgrad::bench
