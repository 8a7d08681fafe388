#include "layers/loss.h"

#include "tensor/ops/reduce.h"
#include "tensor/ops/softmax.h"

namespace melgrad {

Tensor cross_entropy(const Tensor& logits, const Tensor& labels) {
  return mean(softmax_cross_entropy(logits, labels));
}

Tensor compute_loss(Loss loss, const Tensor& pre_activation, const Tensor& labels) {
  switch (loss) {
    case Loss::cross_entropy:
      return cross_entropy(pre_activation, labels);
  }
  fail("loss: unknown");
}

}  // namespace melgrad
