#include "layers/fusion.h"

#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/dense.h"
#include "layers/pooling.h"
#include "layers/weighted_layer.h"
#include "tensor/autograd.h"
#include "tensor/ops/conv_block.h"
#include "tensor/ops/conv_pool.h"
#include "tensor/ops/first_block.h"
#include "tensor/ops/reshape.h"

namespace melgrad {
namespace {

// The windows of a max pool as two axes, a 1-D one having a width of 1.
std::optional<std::pair<Window, Window>> pool_windows(const Layer& layer) {
  if (const auto* pool = dynamic_cast<const MaxPool2D*>(&layer)) return std::pair(pool->rows(), pool->columns());
  if (const auto* pool = dynamic_cast<const MaxPool1D*>(&layer)) return std::pair(pool->window(), Window{});
  return {};
}

// A signal (n, l, c) as an image of width 1, vectors (n, c) as a column of pixels; a weight (k, c, o) as one of as many rows,
// a matrix (c, o) as one of a single tap.
Shape image_shape(const Shape& s) {
  return s.rank() == 3 ? Shape{s[0], s[1], 1, s[2]} : s.rank() == 2 ? Shape{1, s[0], 1, s[1]} : s;
}
Shape weight_shape(const Shape& s) {
  return s.rank() == 3 ? Shape{s[0], 1, s[1], s[2]} : s.rank() == 2 ? Shape{1, 1, s[0], s[1]} : s;
}

// What the layers of a block have, as an operation 2-D takes it.
BlockTensors tensors_of(const FusedBlock& block) {
  const Tensor& weight = block.convolution->weight();
  return {.weight = reshape(weight, weight_shape(weight.shape())),
          .bias = block.convolution->bias(),
          .gamma = block.norm->gamma(),
          .beta = block.norm->beta(),
          .running_mean = block.norm->running_mean(),
          .running_variance = block.norm->running_variance()};
}

BlockOptions options_of(const FusedBlock& block) {
  const Conv2dOptions windows = block.convolution->windows_2d();
  BatchNormOptions norm;
  if (block.norm != nullptr) norm = block.norm->options();
  return {windows.rows, windows.columns, block.rows, block.columns, block.activation, norm};
}

// What a block reads.
struct Read {
  Shape shape;
  Device device;
};

BlockProblem problem_of(const FusedBlock& block, const Shape& x) {
  return block_problem(image_shape(x), weight_shape(block.convolution->weight().shape()), options_of(block));
}

// How this block can run here, if it can.
std::optional<BlockKind> kind_of(const FusedBlock& block, const Read& x, const Pass& pass) {
  const Conv2dOptions windows = block.convolution->windows_2d();
  const bool pools = block.rows != Window{} || block.columns != Window{};
  // A convolution with groups, or with an algorithm of the user's choice, runs by itself.
  const bool free = windows.groups == 1 && windows.algorithm == ConvAlgorithm::automatic;
  if (block.norm == nullptr) {
    const bool more = pools || block.activation.function != Activation::linear;  // than a convolution
    const BlockProblem b = problem_of(block, x.shape);
    if (free && more && conv_pool_applies(x.device, {b.conv, b.pool_rows, b.pool_columns, b.activation}))
      return BlockKind::plain;
    return {};
  }
  // So does one that inference has a gradient of.
  if (free && (pass.training || !grad_enabled())) {
    const BlockProblem problem = problem_of(block, x.shape);
    if (first_block_applies(problem)) return BlockKind::first;
    if ((pools || !pass.training) && conv_block_applies(x.device, problem)) return BlockKind::conv;
  }
  const bool simple = block.activation.function == Activation::relu || block.activation.function == Activation::linear;
  if (pass.training && simple && pools && norm_pool_applies({.rows = block.rows, .columns = block.columns}))
    return BlockKind::norm_pool;
  return {};
}

// The block of one convolution that starts at layer `first`.
std::optional<FusedBlock> find_one(const std::vector<Sequential::Entry>& layers, std::size_t first, const Read& x,
                                   const Pass& pass) {
  std::size_t next = first;
  // The next layer as an L, or nothing.
  const auto take = [&]<class L>() -> L* {
    L* layer = next < layers.size() ? dynamic_cast<L*>(layers[next].layer.get()) : nullptr;
    if (layer != nullptr) ++next;
    return layer;
  };
  const auto* convolution = take.template operator()<ConvolutionLayer>();
  if (convolution == nullptr) return {};
  std::optional<ActivationChoice> choice = choice_of(convolution->activation());
  FusedBlock block{BlockKind::first, convolution, nullptr, Activation::linear, {}, {}, 0, {}};
  const bool dense = dynamic_cast<const Dense*>(convolution) != nullptr;
  if (dense && (x.shape.rank() < 2 || x.shape.rank() > 4)) return {};
  if (convolution->activation() == ActivationFunction::linear) {
    if (!dense) block.norm = take.template operator()<BatchNorm>();
    if (block.norm != nullptr && !block.norm->over_last_axis()) return {};
    if (const auto* activation = take.template operator()<ActivationLayer>()) choice = activation->choice();
  }
  if (!choice || !never_decreases(choice->function)) return {};
  block.activation = *choice;
  // With the pool behind it if that can be, else without.
  const auto ending_at = [&](std::size_t end) -> std::optional<FusedBlock> {
    // The end of a network is given before its activation, which a block has inside.
    if (end == layers.size() && layers.back().layer->activation() != ActivationFunction::linear) return {};
    block.layers = end - first;
    const std::optional<BlockKind> kind = kind_of(block, x, pass);
    if (!kind) return {};
    block.kind = *kind;
    return block;
  };
  const auto windows = !dense && next < layers.size() ? pool_windows(*layers[next].layer) : std::nullopt;
  if (windows && (block.norm == nullptr || norm_pool_applies({.rows = windows->first, .columns = windows->second}))) {
    std::tie(block.rows, block.columns) = *windows;
    if (const auto with_pool = ending_at(next + 1)) return with_pool;
    block.rows = block.columns = {};
  }
  return ending_at(next);
}

}  // namespace

std::optional<FusedBlock> find_block(const std::vector<Sequential::Entry>& layers, std::size_t first, const Tensor& x,
                                     const Pass& pass) {
  if (!pass.fuse || x.shape()[0] == 0) return {};
  const auto block = find_one(layers, first, {x.shape(), x.device()}, pass);
  if (!block || block->kind != BlockKind::first || block->norm == nullptr) return block;
  // The block behind a first block may compute it as it reads it.
  const std::size_t next = first + block->layers;
  const Shape z = layers[next - 1].output.with_batch(x.shape()[0]);
  auto second = find_one(layers, next, {z, x.device()}, pass);
  if (!second || second->kind != BlockKind::conv ||
      !conv_block_reads_first(x.device(), problem_of(*second, z), problem_of(*block, x.shape())))
    return block;
  second->first = std::make_shared<const FusedBlock>(*block);
  second->layers += block->layers;
  return second;
}

PendingBlock FusedBlock::forward(const PendingBlock& x, const Pass& pass) const {
  const int64_t rank = x.values.shape().rank();
  const auto result = [&](const Tensor& z) {
    const Shape& s = z.shape();
    return rank == 3 ? reshape(z, {s[0], s[1], s[3]}) : rank == 2 ? reshape(z, {s[1], s[3]}) : z;
  };
  const auto image = [&](const Tensor& values) { return reshape(values, image_shape(values.shape())); };
  std::optional<FirstBlock> before;
  if (first != nullptr) before = FirstBlock{tensors_of(*first), options_of(*first)};
  const FirstBlock* read = before ? &*before : nullptr;
  if (kind == BlockKind::conv && pass.training) {
    convolution->folded().clear();
    PendingBlock in = read != nullptr ? PendingBlock{apply_norm(x)} : x;
    in.values = image(in.values);
    PendingBlock out = conv_block_train(in, tensors_of(*this), options_of(*this), read);
    out.values = result(out.values);
    return out;
  }
  const Tensor z = apply_norm(x);
  if (kind == BlockKind::conv)
    return {result(conv_block_infer(image(z), tensors_of(*this), options_of(*this), convolution->folded(), read))};
  if (kind == BlockKind::plain) {
    const Tensor& weight = convolution->weight();
    return {result(
        conv_pool(image(z), reshape(weight, weight_shape(weight.shape())), convolution->bias(), options_of(*this)))};
  }
  if (kind == BlockKind::first) {
    return {result(pass.training ? first_block_train(image(z), tensors_of(*this), options_of(*this))
                                 : first_block_infer(image(z), tensors_of(*this), options_of(*this)))};
  }
  return {result(norm->norm_pool(image(convolution->convolve(z)), convolution->bias(), rows, columns,
                                 activation.function == Activation::relu))};
}

}  // namespace melgrad
