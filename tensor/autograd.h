// The tape. Each operation that runs leaves a Node behind: its inputs and how to send a gradient back to them. Nodes
// are numbered as they are made, so the reverse of that order is a valid order for the backward pass.
//
//   Tensor square(const Tensor& x) {
//     Tensor y = …;                                             // forward, on views
//     return record("square", y, {x}, [x = Saved(x)](const Tensor& dy, Gradients& gradients) {
//       gradients.set(0, scale(multiply(x.get(), dy), 2.0));    // backward, beside it
//     });
//   }
//
// Rules: gradients accumulate in leaves (zero_grad() starts anew). A graph is freed as backward() walks it; a second
// walk is an error. A tensor saved for the backward pass and written since is an error.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace melgrad {

// A tensor kept for the backward pass: its memory, not its place on the tape (an output that saved itself would never
// be freed).
class Saved {
 public:
  explicit Saved(const Tensor& tensor) : tensor_(tensor.detach()), version_(tensor.storage()->version) {}
  // Throws if the memory has been written since.
  const Tensor& get() const;

 private:
  Tensor tensor_;
  uint64_t version_;
};

// Where a backward function puts the gradient of each input of its operation.
class Gradients {
 public:
  explicit Gradients(const Node& node);
  // Whether anybody needs the gradient of this input; if not, do not compute it.
  bool wants(std::size_t input) const { return wanted_.at(input); }
  void set(std::size_t input, Tensor gradient) { tensors_.at(input) = std::move(gradient); }
  // Moves the gradient out, undefined if none was set.
  Tensor take(std::size_t input) { return std::move(tensors_.at(input)); }

 private:
  std::vector<bool> wanted_;
  std::vector<Tensor> tensors_;
};

using BackwardFunction = std::function<void(const Tensor& dy, Gradients& gradients)>;

struct Node {
  Node() = default;
  ~Node();  // without recursion, however long the chain behind it is
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const char* operation = "";
  std::vector<Tensor> inputs;
  BackwardFunction backward;
  std::vector<std::function<void(const Tensor& dy)>> hooks;  // see on_gradient()
  Shape output_shape;
  uint64_t sequence = 0;
  bool freed = false;
};

// Puts `output` on the tape as the result of `operation` on `inputs`, unless no input requires a gradient or recording
// is off. Returns it.
Tensor record(const char* operation, Tensor output, std::vector<Tensor> inputs, BackwardFunction backward);

// Recording is off in this thread while one of these lives.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};

bool grad_enabled();

// Whether this thread runs the forward pass of a checkpointed segment again (tensor/checkpoint.h): what is done once a
// pass, such as updating running statistics, has been done.
bool recomputing();

// backward() from a tensor of any shape, given the gradient of what follows with respect to it.
void backward(const Tensor& output, const Tensor& gradient);

// The gradients of a scalar with respect to `inputs`, leaves or results of operations, in their order; no leaf's grad()
// changes. Throws for an input that the scalar does not depend on. The graph is freed as by backward().
std::vector<Tensor> grad(const Tensor& output, const std::vector<Tensor>& inputs);

// Calls `hook` with the gradient of `tensor`, once it is complete, in each backward pass. `tensor` must be the result of
// a recorded operation; a leaf keeps its gradient in grad(). The hook may look, not write.
void on_gradient(const Tensor& tensor, std::function<void(const Tensor& dy)> hook);

// While one of these lives, this thread's operations look at every number that they produce, forward and backward, and
// the first to produce a NaN or an infinity throws, by its name. Slow; for finding where a training breaks.
class AnomalyCheck {
 public:
  AnomalyCheck();
  ~AnomalyCheck();
  AnomalyCheck(const AnomalyCheck&) = delete;
  AnomalyCheck& operator=(const AnomalyCheck&) = delete;

 private:
  bool before_;
};

}  // namespace melgrad
