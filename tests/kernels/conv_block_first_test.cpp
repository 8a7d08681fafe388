// A block that computes the first block before it as it reads it, against the same with the first block's z in memory: the
// same arithmetic, so the same bits.
#include <doctest/doctest.h>

#include "kernels/conv_block.h"
#include "kernels/first_block.h"
#include "kernels/philox.h"

namespace melgrad {
namespace {

// Arrays of one type, alive as long as this is.
class Arrays {
 public:
  explicit Arrays(DType dtype) : dtype_(dtype) {}

  View empty(const Shape& shape, DType dtype) {
    buffers_.push_back(arena(Device::cpu).allocate(shape.numel() * size_of(dtype)));
    return {buffers_.back().data(), shape, dtype};
  }
  View empty(const Shape& shape) { return empty(shape, dtype_); }
  View drawn(const Shape& shape, double least = -1e9) {
    const View view = empty(shape);
    for (int64_t i = 0; i < view.numel(); ++i) {
      const double value = std::max(least, static_cast<double>(static_cast<float>(random_.normal())));
      if (dtype_ == DType::f64)
        view.as<double>()[i] = value;
      else
        view.as<float>()[i] = static_cast<float>(value);
    }
    return view;
  }

 private:
  DType dtype_;
  std::vector<Buffer> buffers_;
  Generator random_{3, Draw::test};
};

struct Pair {
  BlockProblem first, block;
};

Pair signal_blocks(int64_t n, int64_t l, int64_t c, Window window, int64_t first_pool, int64_t o, int64_t pool,
                   ActivationChoice f) {
  Pair pair;
  pair.first = {.conv = {.n = n, .h = l, .w = 1, .c = 1, .o = c, .rows = window, .columns = {}},
                .pool_rows = {.size = first_pool, .stride = first_pool},
                .pool_columns = {},
                .activation = f};
  const int64_t z = pair.first.pool().h_out();
  pair.block = {
      .conv = {.n = n, .h = z, .w = 1, .c = c, .o = o, .rows = padded({.size = 3}, Padding::same, z), .columns = {}},
      .pool_rows = {.size = pool, .stride = pool},
      .pool_columns = {},
      .activation = Activation::relu};
  return pair;
}

std::vector<Pair> pairs() {
  const auto same = [](int64_t size, int64_t l) { return padded({.size = size}, Padding::same, l); };
  return {signal_blocks(2, 200, 17, same(3, 200), 3, 20, 3, Activation::relu),             // SampleCNN's, with rests
          signal_blocks(12, 1350, 16, same(3, 1350), 3, 16, 3, Activation::relu),          // blocks by themselves
          signal_blocks(2, 331, 33, {.size = 3, .stride = 3}, 1, 16, 3, Activation::elu),  // the strided one's
          signal_blocks(1, 90, 16, {.size = 5, .stride = 2, .dilation = 2, .pad_before = 3}, 2, 18, 1,
                        {Activation::leaky_relu, 0.1})};
}

std::vector<std::vector<unsigned char>> bytes_of(const std::vector<View>& views) {
  std::vector<std::vector<unsigned char>> all;
  for (const View& view : views) {
    const auto* bytes = static_cast<const unsigned char*>(view.data);
    all.emplace_back(bytes, bytes + view.numel() * size_of(view.dtype));
  }
  return all;
}

struct Case {
  Pair p;
  Arrays arrays;
  Stream stream{Device::cpu};
  View x, z;
  FirstBlockInput first;
  View weight, gamma, beta, mean, variance;

  Case(const Pair& pair, DType dtype) : p(pair), arrays(dtype) {
    const Shape c{p.first.conv.o}, o{p.block.conv.o};
    x = arrays.drawn(p.first.conv.x_shape());
    first = {p.first,         arrays.drawn(p.first.conv.weight_shape()),
             arrays.drawn(c), arrays.drawn(c),
             arrays.drawn(c), arrays.drawn(c, 0.1)};
    z = arrays.empty(p.first.pool().y_shape());
    first_block_forward(stream, p.first, x, first.weight, first.gamma, first.beta, first.mean, first.variance, z);
    weight = arrays.drawn(p.block.conv.weight_shape());
    gamma = arrays.drawn(o);
    beta = arrays.drawn(o);
    mean = arrays.drawn(o);
    variance = arrays.drawn(o, 0.1);
  }

  std::vector<std::vector<unsigned char>> train(const BlockInput& in) {
    const Shape o{p.block.conv.o}, pooled_shape = p.block.pool().y_shape();
    const View y = arrays.empty(p.block.conv.y_shape()), pooled = arrays.empty(pooled_shape),
               argmax = arrays.empty(pooled_shape, DType::u8), m = arrays.empty(o), v = arrays.empty(o),
               scale = arrays.empty(o), shift = arrays.empty(o);
    conv_block_forward(stream, p.block, in, weight, gamma, beta, y, pooled, argmax, m, v, scale, shift);
    const View dx = arrays.empty(p.block.conv.x_shape()), dweight = arrays.empty(weight.shape),
               dgamma = arrays.empty(o), dbeta = arrays.empty(o);
    const BlockState state{y, pooled, argmax, m, v, scale, shift};
    conv_block_backward(stream, p.block, in, weight, gamma, state, pooled, dx, dweight, dgamma, dbeta);
    return bytes_of({y, pooled, argmax, m, v, scale, shift, dx, dweight, dgamma, dbeta});
  }

  std::vector<std::vector<unsigned char>> infer(const BlockInput& in) {
    const View folded = arrays.empty({conv_block_folded_size(Device::cpu, p.block)}),
               out = arrays.empty(p.block.pool().y_shape());
    conv_block_fold(stream, p.block, weight, gamma, beta, mean, variance, folded);
    conv_block_infer(stream, p.block, in, folded, out);
    return bytes_of({out});
  }
};

TEST_CASE("a block that computes the first block it reads gives the bits of one that reads z") {
  for (const Pair& p : pairs())
    for (DType dtype : {DType::f32, DType::f64}) {
      CAPTURE(p.first.conv.x_shape().to_string());
      Case c(p, dtype);
      REQUIRE(conv_block_reads_first(Device::cpu, p.block, p.first));
      CHECK(c.train({c.x, nullptr, &c.first}) == c.train({c.z}));
      CHECK(c.infer({c.x, nullptr, &c.first}) == c.infer({c.z}));
    }
}

TEST_CASE("which first blocks are computed as they are read, and errors") {
  Pair p = pairs()[0];
  Case c(p, DType::f32);
  BlockProblem other = p.first;
  other.conv.n = 3;
  CHECK_FALSE(conv_block_reads_first(Device::cpu, p.block, other));  // another z
  CHECK_FALSE(conv_block_reads_first(Device::simt, p.block, p.first));
  const Pair wide = signal_blocks(2, 200, 17, padded({.size = 7}, Padding::same, 200), 1, 20, 3, Activation::relu);
  CHECK_FALSE(conv_block_reads_first(Device::cpu, wide.block, wide.first));
  const Pair deep = signal_blocks(2, 200, 17, padded({.size = 5}, Padding::same, 200), 4, 20, 3, Activation::relu);
  CHECK_FALSE(conv_block_reads_first(Device::cpu, deep.block, deep.first));
  CHECK_THROWS_WITH_AS(c.train({c.z, nullptr, &c.first}),
                       "conv_block_forward: x is (2, 66, 1, 17), expected (2, 200, 1, 1)", Error);
}

}  // namespace
}  // namespace melgrad
