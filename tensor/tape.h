// What tensor/ itself needs of the tape, beneath tensor/autograd.h.
#pragma once

#include <functional>
#include <vector>

#include "tensor/autograd.h"

namespace melgrad {

// The number that the next node will have.
uint64_t next_node();

// sum += term. Where the memory of `sum` is shared with another tensor, the sum goes to new memory: an operation may
// hand one gradient to two inputs, and they must not see each other's terms.
void accumulate(Tensor& sum, Tensor term);

struct WalkOptions {
  std::function<void(Tensor& leaf, Tensor term)> at_leaf;             // each term of a leaf's gradient
  std::function<void(const Node& node, const Tensor& dy)> at_node{};  // the whole gradient of an operation's result
  uint64_t first_node = 0;  // the walk stops at results of older nodes, as if they were leaves
};

// Walks the tape from `output` to its leaves, freeing each node behind it.
void walk_back(const Tensor& output, const Tensor& gradient, const WalkOptions& options);

// The first pass through a segment that will run again: while one of these lives, this thread records nothing, and the
// tensors requiring a gradient that operations read are gathered, each once.
class Rehearsal {
 public:
  Rehearsal();
  ~Rehearsal();
  Rehearsal(const Rehearsal&) = delete;
  Rehearsal& operator=(const Rehearsal&) = delete;
  const std::vector<Tensor>& tensors() const { return tensors_; }

 private:
  const NoGrad no_grad_;
  std::vector<Tensor> tensors_;
  std::vector<Tensor>* before_;
};

// The second pass: while one of these lives, this thread records, and recomputing() says so.
class Recomputation {
 public:
  Recomputation();
  ~Recomputation();
  Recomputation(const Recomputation&) = delete;
  Recomputation& operator=(const Recomputation&) = delete;

 private:
  bool recording_before_, recomputing_before_;
};

}  // namespace melgrad
