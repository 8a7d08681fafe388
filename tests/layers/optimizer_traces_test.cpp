// Twenty steps of every optimizer variant on a network of Conv2D, Conv1D, batch norm, pools, GRU and dense layers, against
// what Keras and PyTorch did from the same weights and batches: losses to 1e-4 relative, final weights and running
// statistics to 1e-4 of each tensor's maximum. See tests/golden/make_optimizer_traces.py.
#include <doctest/doctest.h>

#include <functional>
#include <memory>

#include "layers/batch_norm.h"
#include "layers/conv1d.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/gru.h"
#include "layers/loss.h"
#include "layers/pooling.h"
#include "layers/reshape.h"
#include "layers/sequential.h"
#include "optim/clip.h"
#include "optim/parameter_groups.h"
#include "optim/schedule.h"
#include "tensor/io/safetensors.h"
#include "tests/layers/trace.h"
#include "tests/optim/make_optimizer.h"

namespace melgrad {
namespace {

using test::adadelta;
using test::adam;
using test::as;
using test::batch;
using test::check_trace_tensor;
using test::MakeOptimizer;
using test::rmsprop;
using test::sgd;
using test::values_of;

constexpr auto keras = OptimizerVariant::keras;
constexpr auto pytorch = OptimizerVariant::pytorch;

Sequential network_of(OptimizerVariant framework) {
  const BatchNormOptions norm = framework == keras ? BatchNormOptions{}
                                                   : BatchNormOptions{.epsilon = 1e-5,
                                                                      .momentum = Momentum::pytorch(0.1),
                                                                      .running_variance = RunningVariance::unbiased};
  constexpr auto same = Padding::same;
  Sequential network;
  network
      .add(Conv2D({.filters = 6,
                   .kernel = {3, 2},
                   .stride = {2, 1},
                   .padding = same,
                   .groups = 2,
                   .activation = ActivationFunction::elu}))
      .add(BatchNorm(norm))
      .add(MaxPool2D({.pool = {2, 1}, .stride = 1, .padding = same}))
      .add(AveragePool2D({{.pool = {1, 2}}}))
      .add(Reshape({.shape = {8, 18}}))
      .add(Conv1D({.filters = 8, .kernel = 3, .padding = same, .dilation = 2, .activation = ActivationFunction::relu}))
      .add(BatchNorm(norm))
      .add(MaxPool1D({.pool = 2}))
      .add(Gru({.units = 5}))
      .add(Dense({.units = 4}));
  return network;
}

// What one variant does between backward() and step().
struct Trace {
  std::string name;
  MakeOptimizer make;
  std::function<void(Optimizer&, int64_t step)> before_step = [](Optimizer&, int64_t) {};

  OptimizerVariant framework() const { return name.starts_with("keras") ? keras : pytorch; }
};

void decayed(Optimizer& optimizer, int64_t step) {
  const Schedule schedule{.kind = ScheduleKind::inverse_time, .decay = 0.2};
  optimizer.set_learning_rate(scheduled_rate(schedule, 0.1, {.step = step}));
}

// The first convolution at a quarter of the rate, no decay of biases and norms.
MakeOptimizer grouped(const MakeOptimizer& make) {
  return [make](std::vector<Parameter> parameters) {
    const ParameterGroup groups[] = {{.match = "conv2d_1.*", .rate_scale = 0.25},
                                     {.match = "*.bias", .decay_scale = 0},
                                     {.match = "batch_norm_?.*", .decay_scale = 0}};
    apply_groups(groups, parameters);
    return make(std::move(parameters));
  };
}

const Trace traces[] = {
    {"keras_sgd", sgd({.learning_rate = 0.05})},
    {"keras_sgd_momentum", sgd({.learning_rate = 0.05, .momentum = 0.9})},
    {"keras_sgd_nesterov", sgd({.learning_rate = 0.05, .momentum = 0.9, .nesterov = true})},
    {"keras_sgd_decay", sgd({.learning_rate = 0.1, .momentum = 0.9}), decayed},
    {"keras_sgd_weight_decay", sgd({.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 0.1})},
    {"keras_sgd_clipnorm", sgd({.learning_rate = 0.05}),
     [](Optimizer& o, int64_t) { clip_each_by_norm(o.parameters(), 0.2); }},
    {"keras_sgd_global_clipnorm", sgd({.learning_rate = 0.05}),
     [](Optimizer& o, int64_t) { clip_by_global_norm(o.parameters(), 0.3); }},
    {"keras_sgd_clipvalue", sgd({.learning_rate = 0.05}),
     [](Optimizer& o, int64_t) { clip_by_value(o.parameters(), 0.05); }},
    {"keras_adam", adam({.learning_rate = 0.01, .epsilon = 1e-3})},
    {"keras_adamw", adam({.learning_rate = 0.01, .epsilon = 1e-3, .weight_decay = 0.1})},
    {"keras_amsgrad", adam({.learning_rate = 0.01, .beta2 = 0.9, .epsilon = 1e-3, .amsgrad = true})},
    {"keras_adadelta", adadelta({.learning_rate = 1, .rho = 0.95, .epsilon = 1e-4})},
    {"keras_rmsprop", rmsprop({.learning_rate = 0.005, .epsilon = 1e-3})},
    {"keras_rmsprop_momentum", rmsprop({.learning_rate = 0.005, .momentum = 0.7, .epsilon = 1e-3})},
    {"keras_rmsprop_centred", rmsprop({.learning_rate = 0.005, .momentum = 0.7, .centred = true, .epsilon = 1e-3})},
    {"pytorch_sgd", sgd({.learning_rate = 0.05, .variant = pytorch})},
    {"pytorch_sgd_momentum", sgd({.learning_rate = 0.05, .momentum = 0.9, .variant = pytorch})},
    {"pytorch_sgd_nesterov", sgd({.learning_rate = 0.05, .momentum = 0.9, .nesterov = true, .variant = pytorch})},
    {"pytorch_sgd_l2", sgd({.learning_rate = 0.05, .momentum = 0.9, .l2 = 0.1, .variant = pytorch})},
    {"pytorch_adam", adam({.learning_rate = 0.01, .epsilon = 1e-3, .variant = pytorch})},
    {"pytorch_adam_l2", adam({.learning_rate = 0.01, .epsilon = 1e-3, .l2 = 0.1, .variant = pytorch})},
    {"pytorch_adamw", adam({.learning_rate = 0.01, .epsilon = 1e-3, .weight_decay = 0.1, .variant = pytorch})},
    {"pytorch_amsgrad",
     adam({.learning_rate = 0.01, .beta2 = 0.9, .epsilon = 1e-3, .amsgrad = true, .variant = pytorch})},
    {"pytorch_adadelta", adadelta({.learning_rate = 1, .rho = 0.9, .epsilon = 1e-4})},
    {"pytorch_rmsprop", rmsprop({.learning_rate = 0.005, .rho = 0.9, .epsilon = 1e-2, .variant = pytorch})},
    {"pytorch_rmsprop_momentum",
     rmsprop({.learning_rate = 0.005, .rho = 0.9, .momentum = 0.7, .epsilon = 1e-2, .variant = pytorch})},
    {"pytorch_rmsprop_centred",
     rmsprop(
         {.learning_rate = 0.005, .rho = 0.9, .momentum = 0.7, .centred = true, .epsilon = 1e-2, .variant = pytorch})},
    {"pytorch_sgd_groups", grouped(sgd({.learning_rate = 0.05, .momentum = 0.9, .l2 = 0.1, .variant = pytorch}))},
    {"pytorch_adamw_groups",
     grouped(adam({.learning_rate = 0.01, .epsilon = 1e-3, .weight_decay = 0.2, .variant = pytorch}))},
    {"pytorch_sgd_clip_grad_norm", sgd({.learning_rate = 0.05, .variant = pytorch}),
     [](Optimizer& o, int64_t) { clip_by_global_norm(o.parameters(), 0.3); }},
};

void check_trace(const Trace& trace, const std::map<std::string, Tensor>& golden, DType dtype, double tolerance) {
  INFO(trace.name, " in ", name_of(dtype));
  Sequential network = network_of(trace.framework());
  network.build({16, 6, 2}, {.dtype = dtype});
  std::map<std::string, Tensor> initial;
  for (const NamedTensor& named : network.state()) initial[named.name] = as(dtype, golden.at("initial/" + named.name));
  network.load(initial, "optimizer_traces.safetensors");

  const std::unique_ptr<Optimizer> optimizer = trace.make(as_parameters(network.parameters()));
  const std::vector<double> losses = values_of(golden.at(trace.name + "/losses"));
  REQUIRE(losses.size() == 20);
  const Tensor &x = golden.at("x"), &labels = golden.at("labels");
  for (std::size_t step = 0; step < losses.size(); ++step) {
    const auto index = static_cast<int64_t>(step) % x.shape()[0];
    const Tensor logits = network.pre_activation(as(dtype, batch<float>(x, index)), {.training = true});
    const Tensor loss = cross_entropy(logits, batch<int32_t>(labels, index));
    optimizer->zero_grad();
    loss.backward();
    trace.before_step(*optimizer, static_cast<int64_t>(step));
    optimizer->step();
    if (!(std::abs(loss.item() - losses[step]) <= tolerance * losses[step])) {
      FAIL_CHECK("the loss of step " << step << " is " << loss.item() << ", expected " << losses[step]);
      return;
    }
  }
  for (const NamedTensor& named : network.state())
    check_trace_tensor(named.name, named.tensor, golden.at(trace.name + "/final/" + named.name), tolerance);
}

std::map<std::string, Tensor> golden_traces() {
  return load_safetensors(std::filesystem::path(MELGRAD_TEST_DATA) / "optimizer_traces.safetensors").tensors;
}

TEST_CASE("every optimizer variant follows its framework for twenty steps") {
  const auto golden = golden_traces();
  for (const Trace& trace : traces) {
    check_trace(trace, golden, DType::f32, 1e-4);
    // Final weights are kept in float32, and Keras's batch norm computes in it.
    check_trace(trace, golden, DType::f64, trace.framework() == keras ? 1e-5 : 1e-6);
  }
}

TEST_CASE("every trace of the file is followed, and no two are the same") {
  const auto golden = golden_traces();
  std::vector<std::string> names;
  for (const auto& [name, tensor] : golden)
    if (name.ends_with("/losses")) names.push_back(name.substr(0, name.find('/')));
  CHECK(names.size() == std::size(traces));
  for (const Trace& a : traces) {
    CHECK(std::find(names.begin(), names.end(), a.name) != names.end());
    for (const Trace& b : traces)
      if (a.name < b.name && a.framework() == b.framework())
        CHECK_FALSE(test::all_close(values_of(golden.at(a.name + "/losses")), values_of(golden.at(b.name + "/losses")),
                                    a.framework() == keras ? 1e-4 : 1e-6));
  }
}

}  // namespace
}  // namespace melgrad
