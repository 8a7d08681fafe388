#include "layers/fusion.h"

#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/pooling.h"
#include "layers/weighted_layer.h"
#include "tensor/ops/reshape.h"

namespace melgrad {
namespace {

// The windows of a max pool as two axes, a 1-D one having a width of 1.
std::optional<std::pair<Window, Window>> pool_windows(const Layer& layer) {
  if (const auto* pool = dynamic_cast<const MaxPool2D*>(&layer)) return std::pair(pool->rows(), pool->columns());
  if (const auto* pool = dynamic_cast<const MaxPool1D*>(&layer)) return std::pair(pool->window(), Window{});
  return {};
}

}  // namespace

std::optional<FusedBlock> find_block(const std::vector<Sequential::Entry>& layers, std::size_t first, const Tensor& x,
                                     const Pass& pass) {
  if (!pass.training || !pass.fuse || x.shape()[0] == 0) return {};
  std::size_t next = first;
  // The next layer as an L, or nothing.
  const auto take = [&]<class L>() -> L* {
    L* layer = next < layers.size() ? dynamic_cast<L*>(layers[next].layer.get()) : nullptr;
    if (layer != nullptr) ++next;
    return layer;
  };
  const auto* convolution = take.template operator()<ConvolutionLayer>();
  if (convolution == nullptr || convolution->activation() != ActivationFunction::linear) return {};
  auto* norm = take.template operator()<BatchNorm>();
  if (norm == nullptr || !norm->over_last_axis()) return {};
  const auto* activation = take.template operator()<ActivationLayer>();
  if (activation != nullptr && activation->activation() != ActivationFunction::relu) return {};
  if (next >= layers.size()) return {};
  const auto windows = pool_windows(*layers[next].layer);
  if (!windows || !norm_pool_applies({.rows = windows->first, .columns = windows->second})) return {};
  return FusedBlock{convolution, norm, activation != nullptr, windows->first, windows->second, next + 1 - first};
}

Tensor FusedBlock::forward(const Tensor& x) const {
  const Tensor y = convolution->convolve(x);
  const auto finish = [&](const Tensor& wide) {
    return norm->norm_pool(wide, convolution->bias(), rows, columns, relu);
  };
  return y.shape().rank() == 3 ? over_width_one("norm_pool", y, finish) : finish(y);
}

}  // namespace melgrad
