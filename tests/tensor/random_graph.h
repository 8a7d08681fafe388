// Random functions of a few tensors, for tests that hold of every graph.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernels/philox.h"
#include "tensor/checkpoint.h"
#include "tensor/tensor.h"

namespace melgrad::test {

// A chain of operations drawn from a seed, all of tensor/ops among them. Each reads what earlier ones gave, mostly the
// latest, so that graphs get deep, and any of the rest, so that much is shared.
class RandomGraph {
 public:
  RandomGraph(uint64_t seed, int depth);

  // The leaves at which the graph was drawn, f64.
  std::vector<Tensor> leaves() const;
  // A scalar that every operation and every leaf goes into.
  Tensor run(const std::vector<Tensor>& leaves) const;
  // One line an operation: "v7 (2, 3) = softmax v5".
  std::string to_string() const;
  // How often each operation occurs.
  std::map<std::string, int> operations() const;

 private:
  struct Value {
    std::string operation;  // empty: a leaf
    std::vector<std::size_t> inputs;
    Segment compute;
    Tensor at_draw;
  };

  std::size_t leaf(const Shape& shape, double low = -1, double high = 1);
  std::size_t pick();
  // Adds compute(inputs); refuses, and adds nothing, where it gives a NaN, nothing or too much.
  bool add(const std::string& operation, std::vector<std::size_t> inputs, const Segment& compute);
  void keep_in_range();  // scales the last value where it is very large or very small
  const Shape& shape(std::size_t value) const { return values_[value].at_draw.shape(); }

  // Each draws one operation of its kind; false where what was picked does not fit.
  bool draw();
  bool draw_element_wise();
  bool draw_reduction();
  bool draw_movement();
  bool draw_product();
  bool draw_window_2d();
  bool draw_window_1d();
  bool draw_normalisation();
  bool draw_loss();

  int64_t below(int64_t count) { return random_.below(static_cast<uint32_t>(count)); }

  Generator random_;
  std::vector<Value> values_;
};

}  // namespace melgrad::test
