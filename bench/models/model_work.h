// One network at one batch size, with random inputs and targets: a training step as the trainer takes it, and inference
// as predict runs it. What the benches of models time, and what bench/peers/models.py compares with other programs.
#pragma once

#include <memory>
#include <string>

#include "kernels/cost.h"
#include "layers/sequential.h"
#include "optim/optimizer.h"

namespace melgrad::bench {

enum class ModelPass : uint8_t {
  train,          // forward, loss, backward, SGD with Nesterov momentum
  train_forward,  // the forward half of it, batch statistics included
  infer,
};

}  // namespace melgrad::bench

namespace melgrad {
template <>
inline constexpr EnumNames<bench::ModelPass, 3> enum_names<bench::ModelPass>{
    {{bench::ModelPass::train, "train"},
     {bench::ModelPass::train_forward, "train-forward"},
     {bench::ModelPass::infer, "infer"}}};
}  // namespace melgrad

namespace melgrad::bench {

class ModelWork {
 public:
  // A name of the registry, or "samplecnn-block1", SampleCNN's first convolution, batch norm, ReLU and max pool alone.
  // Without `dropout` every rate is 0, so that a training step can be set beside another program's. In f64 the definitions
  // run, in plain loops.
  ModelWork(const std::string& model, int64_t batch, bool dropout = true, DType dtype = DType::f32);

  void run(ModelPass pass);

  Tensor infer();       // the network's output: (batch, classes)
  double train_pass();  // forward, loss and backward, but no update; returns the loss

  Sequential& network() { return network_; }
  const Tensor& inputs() const { return inputs_; }
  const Tensor& targets() const { return targets_; }  // labels (n) i32, or (n, classes) f32; none for a block
  int64_t batch() const { return inputs_.shape()[0]; }
  // Of one pass, the optimizer's update aside; see layers/step_cost.h. Runs the network once.
  Cost cost(ModelPass pass);

 private:
  Tensor forward_in_training();
  Tensor loss_of(const Tensor& output) const;

  Sequential network_;
  Tensor inputs_, targets_;
  std::unique_ptr<Optimizer> optimizer_;
  uint32_t step_ = 0;
};

}  // namespace melgrad::bench
