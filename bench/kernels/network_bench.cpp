// Differentiable operations on the shapes of the reference networks, forward and backward, as a training runs them: with
// their tape and with memory from the arena. A bench's name has all that it needs: bench/peers/operations.py reads the
// list and does the same in PyTorch.
#include <benchmark/benchmark.h>

#include <functional>
#include <memory>

#include "bench/stopwatch.h"
#include "optim/adadelta.h"
#include "optim/adam.h"
#include "optim/rmsprop.h"
#include "optim/sgd.h"
#include "tensor/autograd.h"
#include "tensor/ops/activation.h"
#include "tensor/ops/avg_pool2d.h"
#include "tensor/ops/batch_norm.h"
#include "tensor/ops/bias.h"
#include "tensor/ops/conv2d.h"
#include "tensor/ops/dropout.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/gru.h"
#include "tensor/ops/loss.h"
#include "tensor/ops/matmul.h"
#include "tensor/ops/max_pool2d.h"
#include "tensor/ops/movement.h"
#include "tensor/ops/reduce.h"
#include "tensor/ops/reshape.h"
#include "tensor/ops/softmax.h"

namespace melgrad::bench {
namespace {

using Tensors = std::vector<Tensor>;
using Operation = std::function<Tensor(const Tensors&)>;

// Numbers of -1 … 1 with no pattern that matters, faster than a real generator's: Google Benchmark asks more than once.
Tensor random_tensor(const Shape& shape, uint32_t stream) {
  Tensor tensor = Tensor::empty(shape);
  uint32_t state = 2 * stream + 1;
  for (float& value : tensor.mutable_data<float>()) {
    state = state * 1664525 + 1013904223;
    value = static_cast<float>(static_cast<int32_t>(state)) * 0x1p-31f;
  }
  return tensor;
}

// Only the timed part of each iteration counts, and none before the arena has the memory: fresh pages cost more than most
// operations.
void forward(benchmark::State& state, const Tensors& inputs, const Operation& operation) {
  operation(inputs);
  for (auto _ : state) {
    const Stopwatch stopwatch;
    const Tensor y = operation(inputs);
    state.SetIterationTime(stopwatch.seconds());
    benchmark::DoNotOptimize(y.view().data);
  }
}

void walk(benchmark::State& state, Tensors inputs, const Operation& operation) {
  for (int i = 0; i < 2; ++i) {
    const Tensor y = operation(inputs);
    backward(y, Tensor::full(y.shape(), 0.5));
  }
  for (auto _ : state) {
    for (Tensor& input : inputs) input.zero_grad();
    const Tensor y = operation(inputs), dy = Tensor::full(y.shape(), 0.5);
    const Stopwatch stopwatch;
    backward(y, dy);
    state.SetIterationTime(stopwatch.seconds());
  }
}

void add_bench(const std::string& name, const std::function<void(benchmark::State&)>& body) {
  benchmark::RegisterBenchmark(("network/" + name).c_str(), body)->UseManualTime()->Unit(benchmark::kMicrosecond);
}

// `shapes` of the inputs; `wanted`: which of them require a gradient in the bench called `pass`.
struct Pass {
  const char* name;
  std::vector<bool> wanted;  // empty: all
};

void add_operation(const std::string& name, const std::vector<Shape>& shapes, const Operation& operation,
                   const std::vector<Pass>& passes = {{"backward", {}}}) {
  const auto inputs = [shapes](const std::vector<bool>& wanted) {
    Tensors tensors;
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      tensors.push_back(random_tensor(shapes[i], static_cast<uint32_t>(i)));
      tensors.back().set_requires_grad(wanted.empty() || wanted[i]);
    }
    return tensors;
  };
  add_bench(name + "/forward", [=](benchmark::State& state) { forward(state, inputs({}), operation); });
  for (const Pass& pass : passes)
    add_bench(name + "/" + pass.name,
              [=, wanted = pass.wanted](benchmark::State& state) { walk(state, inputs(wanted), operation); });
}

const std::vector<Pass> both_gradients{{"data", {true, false}}, {"weight", {false, true}}};

void add_conv1d(int64_t n, int64_t l, int64_t c, int64_t o, int64_t k) {
  const Window window = padded({.size = k}, Padding::same, l);
  add_operation(
      fmt::format("conv1d,n:{},l:{},c:{},o:{},k:{}", n, l, c, o, k), {{n, l, c}, {k, c, o}},
      [window](const Tensors& in) { return conv1d(in[0], in[1], {.window = window}); }, both_gradients);
}

void add_conv2d(int64_t n, int64_t h, int64_t w, int64_t c, int64_t o, int64_t k) {
  const Conv2dOptions options{.rows = padded({.size = k}, Padding::same, h),
                              .columns = padded({.size = k}, Padding::same, w)};
  add_operation(
      fmt::format("conv2d,n:{},h:{},w:{},c:{},o:{},k:{}", n, h, w, c, o, k), {{n, h, w, c}, {k, k, c, o}},
      [options](const Tensors& in) { return conv2d(in[0], in[1], options); }, both_gradients);
}

void add_convolutions() {
  add_conv1d(4, 19683, 1, 128, 3);  // SampleCNN
  add_conv1d(4, 6561, 128, 128, 3);
  add_conv1d(4, 729, 128, 256, 3);
  add_conv1d(4, 81, 256, 256, 3);
  add_conv2d(4, 96, 1366, 1, 32, 3);  // choi-fcn5
  add_conv2d(4, 48, 341, 32, 128, 3);
  add_conv2d(32, 64, 5, 48, 32, 3);   // gtzan
  add_conv2d(8, 44, 44, 32, 64, 2);   // key-cnn
  add_conv2d(8, 100, 105, 8, 8, 5);   // key-kw17
  add_conv2d(8, 170, 12, 32, 64, 3);  // mtat
}

void add_max_pool1d(int64_t n, int64_t l, int64_t c, int64_t p) {
  add_operation(fmt::format("max_pool1d,n:{},l:{},c:{},p:{}", n, l, c, p), {{n, l, c}},
                [p](const Tensors& in) { return max_pool1d(in[0], {.size = p, .stride = p}); });
}

void add_pool2d(int64_t n, int64_t h, int64_t w, int64_t c, int64_t p, int64_t q) {
  const Window rows{.size = p, .stride = p}, columns{.size = q, .stride = q};
  const std::string shape = fmt::format("n:{},h:{},w:{},c:{},p:{},q:{}", n, h, w, c, p, q);
  add_operation("max_pool2d," + shape, {{n, h, w, c}},
                [=](const Tensors& in) { return max_pool2d(in[0], rows, columns); });
  add_operation("avg_pool2d," + shape, {{n, h, w, c}},
                [=](const Tensors& in) { return avg_pool2d(in[0], rows, columns); });
}

void add_pools() {
  add_max_pool1d(4, 19683, 128, 3);
  add_max_pool1d(4, 729, 256, 3);
  add_max_pool1d(4, 27, 256, 3);
  add_pool2d(4, 96, 1366, 32, 2, 4);
  add_pool2d(4, 24, 85, 128, 2, 4);
  add_pool2d(8, 88, 88, 32, 2, 2);
  add_pool2d(8, 170, 12, 64, 6, 4);
  add_operation("global_average,n:8,l:484,c:32", {{8, 484, 32}}, [](const Tensors& in) { return mean(in[0], {1}); });
  add_operation("global_max,n:8,l:484,c:32", {{8, 484, 32}}, [](const Tensors& in) { return max(in[0], {1}); });
}

void add_batch_norm(int64_t rows, int64_t c) {
  add_operation(fmt::format("batch_norm,n:{},c:{}", rows, c), {{rows, c}, {c}, {c}}, [c](const Tensors& in) {
    static thread_local std::map<int64_t, std::pair<Tensor, Tensor>> running;
    auto& [mean, variance] = running[c];
    if (!mean.defined()) mean = Tensor::zeros({c}), variance = Tensor::full({c}, 1);
    return batch_norm_train(in[0], in[1], in[2], mean, variance);
  });
}

void add_elements() {
  for (const auto& [rows, c] :
       {std::pair<int64_t, int64_t>{78732, 128}, {2916, 256}, {524544, 32}, {65472, 128}, {10240, 48}})
    add_batch_norm(rows, c);
  for (const char* name : {"relu", "elu", "sigmoid", "tanh"}) {
    const auto function = parse_enum<Activation>("bench", name);
    for (int64_t n : {int64_t{746496}, int64_t{8380416}})
      add_operation(fmt::format("{},n:{}", name, n), {{n}},
                    [function](const Tensors& in) { return activation(function, in[0]); });
  }
  for (int64_t n : {int64_t{4096}, int64_t{2095104}})
    add_operation(fmt::format("dropout,n:{}", n), {{n}}, [](const Tensors& in) {
      return dropout(in[0], 0.5, Philox{1, Draw::dropout});
    });
  add_operation("add,n:746496", {{746496}, {746496}}, [](const Tensors& in) { return in[0] + in[1]; });
  add_operation("excite,n:4,l:729,c:256", {{4, 729, 256}, {4, 1, 256}},
                [](const Tensors& in) { return in[0] * in[1]; });
  add_operation("transpose,n:4,h:1366,w:96", {{4, 1366, 96, 1}}, [](const Tensors& in) {
    return transpose(in[0], {0, 2, 1, 3});
  });
  add_operation("concatenate,n:4,l:729,c:128", {{4, 729, 128}, {4, 729, 128}},
                [](const Tensors& in) { return concatenate(in, -1); });
}

void add_dense(int64_t n, int64_t in, int64_t out) {
  add_operation(fmt::format("dense,n:{},i:{},o:{}", n, in, out), {{n, in}, {in, out}, {out}},
                [](const Tensors& t) { return add_bias(matmul(t[0], t[1]), t[2]); });
}

void add_gru(int64_t n, int64_t t, int64_t c, int64_t u) {
  add_operation(fmt::format("gru,n:{},t:{},c:{},u:{}", n, t, c, u),
                {{n, t, c}, {c, 3 * u}, {3 * u}, {u, 3 * u}, {3 * u}}, [=](const Tensors& in) {
                  const Tensor a = add_bias(matmul(reshape(in[0], {n * t, c}), in[1]), in[2]);
                  return gru(reshape(a, {n, t, 3 * u}), in[3], in[4]);
                });
}

void add_heads() {
  add_dense(8, 512, 50);
  add_dense(32, 240, 32);
  add_dense(800, 840, 48);
  add_gru(8, 15, 128, 32);
  add_gru(32, 64, 64, 64);
  for (const auto& [n, c] : {std::pair<int64_t, int64_t>{32, 10}, {256, 188}}) {
    const std::string shape = fmt::format("n:{},c:{}", n, c);
    const std::vector<int32_t> zeros(static_cast<std::size_t>(n));
    const Tensor labels = Tensor::from(zeros, {n}), targets = Tensor::full({n, c}, 0.25);
    add_operation("softmax," + shape, {{n, c}}, [](const Tensors& in) { return softmax(in[0]); });
    add_operation("cross_entropy," + shape, {{n, c}},
                  [=](const Tensors& in) { return softmax_cross_entropy(in[0], labels); });
    add_operation("binary_cross_entropy," + shape, {{n, c}}, [=](const Tensors& in) {
      return element_loss(ElementLoss::binary_cross_entropy_logits, in[0], targets);
    });
  }
}

template <class O, class Options>
void add_optimizer(const char* name, int64_t n, const Options& options) {
  add_bench(fmt::format("{},n:{}/step", name, n), [=](benchmark::State& state) {
    Tensor weight = random_tensor({n}, 1).set_requires_grad();
    weight.set_grad(random_tensor({n}, 2));
    O optimizer({{"w", weight}}, options);
    for (auto _ : state) {
      const Stopwatch stopwatch;
      optimizer.step();
      state.SetIterationTime(stopwatch.seconds());
    }
  });
}

void add_optimizers() {
  for (int64_t n : {int64_t{24970}, int64_t{2000000}}) {
    add_optimizer<Sgd>("sgd", n,
                       SgdOptions{.learning_rate = 1e-6, .momentum = 0.9, .variant = OptimizerVariant::pytorch});
    add_optimizer<Adam>("adam", n, AdamOptions{.learning_rate = 1e-6, .variant = OptimizerVariant::pytorch});
    add_optimizer<Adadelta>("adadelta", n, AdadeltaOptions{.learning_rate = 1e-6});
    add_optimizer<Rmsprop>("rmsprop", n, RmspropOptions{.learning_rate = 1e-6, .variant = OptimizerVariant::pytorch});
  }
}

[[maybe_unused]] const bool registered = [] {
  add_convolutions();
  add_pools();
  add_elements();
  add_heads();
  add_optimizers();
  return true;
}();

}  // namespace
}  // namespace melgrad::bench
