// README.md's ten lines of C++, compiled as they stand there and run on images they can learn.
#include <doctest/doctest.h>

#include "kernels/philox.h"
#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/loss.h"
#include "layers/pooling.h"
#include "layers/reshape.h"
#include "layers/sequential.h"
#include "optim/adam.h"
#include "tensor/autograd.h"

namespace melgrad::test {
namespace {

struct Examples {
  Tensor images, labels;
};

// Noise with a bar across it: at the top, in the middle or at the bottom.
Examples make_examples(int64_t count, uint32_t stream) {
  Generator random(1, Draw::test, stream);
  std::vector<float> values(static_cast<std::size_t>(count * 16 * 12));
  std::vector<int32_t> classes(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t example = i / (16 * 12), row = i / 12 % 16;
    if (i % (16 * 12) == 0) classes[example] = static_cast<int32_t>(random.below(3));
    const bool bar = row / 3 == 2 * static_cast<std::size_t>(classes[example]);
    values[i] = static_cast<float>(random.normal() + (bar ? 1 : 0));
  }
  return {Tensor::from(values, {count, 16, 12, 1}), Tensor::from(classes, {count})};
}

double accuracy(const Tensor& probabilities, const Tensor& labels) {
  const float* p = probabilities.view().as<float>();
  const int32_t* truth = labels.view().as<int32_t>();
  int64_t right = 0;
  for (int64_t i = 0; i < labels.numel(); ++i) {
    const float* row = p + 3 * i;
    right += std::max_element(row, row + 3) - row == truth[i];
  }
  return static_cast<double>(right) / static_cast<double>(labels.numel());
}

TEST_CASE("README's ten lines learn") {
  const auto [images, labels] = make_examples(48, 0);
#include "readme.inc"
  const auto [unseen, truth] = make_examples(90, 1);
  const NoGrad no_grad;
  CHECK(accuracy(network.forward(unseen), truth) >= 0.9);
}

}  // namespace
}  // namespace melgrad::test
