#include "bench/simt/operations.h"

#include "kernels/activation.h"
#include "kernels/adam.h"
#include "kernels/batch_norm.h"
#include "kernels/bias.h"
#include "kernels/conv2d.h"
#include "kernels/dropout.h"
#include "kernels/matmul.h"
#include "kernels/max_pool2d.h"
#include "kernels/norm_pool.h"
#include "kernels/reduce.h"
#include "kernels/softmax.h"
#include "kernels/strided_copy.h"

namespace melgrad::bench {
namespace {

using test::Inputs;
using test::Outputs;
using Run = std::function<void(Stream&, Inputs, Outputs)>;

class Operations {
 public:
  void add(const std::string& name, const std::vector<Shape>& inputs, const std::vector<test::OutputSpec>& outputs,
           const Cost& cost, const Run& run, bool on_tensor_cores = false) {
    SimtOperation operation{{{}, cost}, on_tensor_cores};
    operation.bench.operation.name = name;
    for (const Shape& shape : inputs) operation.bench.operation.inputs.push_back({shape});
    operation.bench.operation.outputs = outputs;
    operation.bench.operation.run = run;
    all_.push_back(operation);
  }
  std::vector<SimtOperation> take() { return std::move(all_); }

 private:
  std::vector<SimtOperation> all_;
};

void add_element_wise(Operations& operations) {
  const Shape x{4, 127, 10, 48};
  const int64_t n = x.numel();
  operations.add("activation_forward/relu", {x}, {{x}}, activation_forward_cost(n, 4),
                 [](Stream& s, Inputs in, Outputs out) { activation_forward(s, Activation::relu, in[0], out[0]); });
  operations.add(
      "activation_backward/relu", {x, x}, {{x}}, activation_backward_cost(n, 4),
      [](Stream& s, Inputs in, Outputs out) { activation_backward(s, Activation::relu, in[0], in[1], out[0]); });
  operations.add("dropout", {x}, {{x}}, dropout_cost(n, 4), [](Stream& s, Inputs in, Outputs out) {
    dropout(s, 0.25, Philox{1, Draw::dropout, 0, 0}, in[0], out[0]);
  });
  operations.add("adam_update", {x}, {{x}, {x}, {x}}, adam_update_cost(n, 4),
                 [](Stream& s, Inputs in, Outputs out) { adam_update(s, {}, in[0], out[0], out[1], {}, out[2]); });
}

void add_channel_wise(Operations& operations) {
  constexpr int64_t rows = 4 * 127 * 10, channels = 48;
  const Shape x{rows, channels}, c{channels};
  operations.add("bias_forward", {x, c}, {{x}}, bias_forward_cost(rows, channels, 4),
                 [](Stream& s, Inputs in, Outputs out) { bias_forward(s, in[0], in[1], out[0]); });
  operations.add("bias_backward", {x}, {{c}}, bias_backward_cost(rows, channels, 4),
                 [](Stream& s, Inputs in, Outputs out) { bias_backward(s, in[0], out[0]); });
  operations.add("batch_norm_train_forward", {x, c, c}, {{x}, {c}, {c}}, batch_norm_forward_cost(rows, channels, 4),
                 [](Stream& s, Inputs in, Outputs out) {
                   batch_norm_train_forward(s, 1e-3, in[0], in[1], in[2], out[0], out[1], out[2]);
                 });
  operations.add("batch_norm_train_backward", {x, c, c, c, x}, {{x}, {c}, {c}},
                 batch_norm_backward_cost(rows, channels, 4), [](Stream& s, Inputs in, Outputs out) {
                   batch_norm_train_backward(s, 1e-3, in[0], in[1], in[2], in[3], in[4], out[0], out[1], out[2]);
                 });
  operations.add("softmax_forward", {{rows, 10}}, {{{rows, 10}}}, softmax_forward_cost(rows, 10, 4),
                 [](Stream& s, Inputs in, Outputs out) { softmax_forward(s, in[0], out[0]); });
  operations.add("reduce/mean of time", {{4, 243, 128}}, {{{4, 1, 128}}}, reduce_cost(4 * 243 * 128, 4 * 128, 4),
                 [](Stream& s, Inputs in, Outputs out) { reduce(s, Reduction::mean, in[0], out[0]); });
}

void add_windows(Operations& operations) {
  const Pool2dProblem pool{4, 243, 1, 128, {3, 3}, {}};
  const Shape x = pool.x_shape(), y = pool.y_shape(), c{pool.c};
  operations.add("max_pool2d_forward", {x}, {{y}, {y, DType::i32}}, max_pool2d_forward_cost(pool, 4),
                 [=](Stream& s, Inputs in, Outputs out) { max_pool2d_forward(s, pool, in[0], out[0], out[1]); });
  operations.add("norm_pool_forward", {x, c, c}, {{y}, {y}, {y, DType::u8}, {c}, {c}}, norm_pool_forward_cost(pool, 4),
                 [=](Stream& s, Inputs in, Outputs out) {
                   norm_pool_forward(s, {pool}, in[0], in[1], in[2], out[0], out[1], out[2], out[3], out[4]);
                 });
}

void add_movement(Operations& operations) {
  const Shape shape{128, 96}, turned{96, 128};
  const auto copy_with = [=](const Walk& from) {
    return [=](Stream& s, Inputs in, Outputs out) {
      strided_copy(s, turned, in[0], from, out[0], contiguous_walk(turned));
    };
  };
  operations.add("strided_copy", {turned}, {{turned}}, strided_copy_cost(shape.numel(), 4),
                 copy_with(contiguous_walk(turned)));
  operations.add("strided_copy/transpose", {shape}, {{turned}}, strided_copy_cost(shape.numel(), 4),
                 copy_with({{1, 96}}));
}

void add_products(Operations& operations) {
  const MatmulProblem problems[] = {{.m = 128, .n = 128, .k = 64}, {.m = 128, .n = 10, .k = 64}};
  for (const MatmulProblem& p : problems)
    operations.add(fmt::format("matmul/{} x {} x {}", p.m, p.k, p.n), {p.a_shape(), p.b_shape()}, {{p.c_shape()}},
                   matmul_cost(p, 4), [=](Stream& s, Inputs in, Outputs out) { matmul(s, p, in[0], in[1], out[0]); });
}

struct NamedConvolution {
  const char* name;
  Conv2dProblem problem;
};

void add_convolutions(Operations& operations) {
  const NamedConvolution convolutions[] = {
      {"gtzan1", {1, 66, 13, 1, 48, {4}, {4}}},
      {"samplecnn6", {1, 81, 1, 128, 128, {3, 1, 1, 1, 1}, {}}},
  };
  for (const auto& [name, p] : convolutions)
    for (ConvAlgorithm algorithm : conv2d_algorithms(Device::simt, p)) {
      const Shape x = p.x_shape(), w = p.weight_shape(), y = p.y_shape();
      const Cost cost = conv2d_cost(p, 4);
      const bool tensor = algorithm == ConvAlgorithm::tensor_core;
      const auto add = [&, n = name](const char* direction, const Shape& a, const Shape& b, const Shape& c,
                                     const Run& run) {
        operations.add(fmt::format("conv2d/{}/{}/{}", n, name_of(algorithm), direction), {a, b}, {{c}}, cost, run,
                       tensor);
      };
      add("forward", x, w, y, [p = p, algorithm](Stream& s, Inputs in, Outputs out) {
        conv2d_forward(s, p, in[0], in[1], out[0], algorithm);
      });
      add("backward_data", y, w, x, [p = p, algorithm](Stream& s, Inputs in, Outputs out) {
        conv2d_backward_data(s, p, in[0], in[1], out[0], algorithm);
      });
      add("backward_weight", y, x, w, [p = p, algorithm](Stream& s, Inputs in, Outputs out) {
        conv2d_backward_weight(s, p, in[0], in[1], out[0], algorithm);
      });
    }
}

}  // namespace

std::vector<SimtOperation> simt_operations() {
  Operations operations;
  add_element_wise(operations);
  add_channel_wise(operations);
  add_windows(operations);
  add_movement(operations);
  add_products(operations);
  add_convolutions(operations);
  return operations.take();
}

}  // namespace melgrad::bench
