#include "tensor/checkpoint.h"

#include "tensor/tape.h"

namespace melgrad {
namespace {

// The segment once more, and its gradients with respect to `tensors` to `gradients`, in their order.
void recompute(const Segment& segment, const std::vector<Tensor>& inputs, const std::vector<Tensor>& tensors,
               const Tensor& dy, Gradients& gradients) {
  const uint64_t first_node = next_node();
  Tensor y;
  {
    const Recomputation second_pass;
    y = segment(inputs);
  }
  if (y.shape() != dy.shape())
    fail("checkpoint: the segment gave {} in the forward pass and {} in the backward pass", dy.shape().to_string(),
         y.shape().to_string());
  std::vector<Tensor> sums(tensors.size());
  const auto at_leaf = [&](Tensor& leaf, Tensor term) {
    for (std::size_t i = 0; i < tensors.size(); ++i)
      if (tensors[i].same_as(leaf)) accumulate(sums[i], std::move(term));
  };
  walk_back(y, dy, {.at_leaf = at_leaf, .first_node = first_node});
  for (std::size_t i = 0; i < tensors.size(); ++i) gradients.set(i, std::move(sums[i]));
}

}  // namespace

Tensor checkpoint(Segment segment, const std::vector<Tensor>& inputs) {
  if (!grad_enabled()) return segment(inputs);
  Tensor y;
  std::vector<Tensor> tensors;
  {
    const Rehearsal first_pass;
    y = segment(inputs);
    tensors = first_pass.tensors();
  }
  if (y.requires_grad()) return y;  // an input or a weight as it is: there is nothing to run again
  std::vector<Saved> saved(tensors.begin(), tensors.end());
  // A handle of its own: the segment may have returned a tensor that others hold.
  return record("checkpoint", y.detach(), tensors,
                [=, segment = std::move(segment)](const Tensor& dy, Gradients& gradients) {
                  for (const Saved& tensor : saved) tensor.get();  // throws if it has been written
                  recompute(segment, inputs, tensors, dy, gradients);
                });
}

}  // namespace melgrad
