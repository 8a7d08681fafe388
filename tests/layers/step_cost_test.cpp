#include "layers/step_cost.h"

#include <doctest/doctest.h>

#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/conv1d.h"
#include "layers/dense.h"
#include "layers/dropout.h"
#include "layers/pooling.h"
#include "layers/reshape.h"

namespace melgrad {
namespace {

// 12 × 2 -> conv 3 of 4 filters, batch norm, ReLU, pool 3 -> 4 × 4 -> 16 -> dense 5
Sequential make_network() {
  Sequential network;
  network.add(Conv1D({.filters = 4, .kernel = 3, .padding = Padding::same}))
      .add(BatchNorm())
      .add(ActivationLayer({.function = ActivationFunction::relu}))
      .add(MaxPool1D({.pool = 3}))
      .add(Flatten())
      .add(Dropout({.rate = 0.5}))
      .add(Dense({.units = 5}));
  network.build({12, 2});
  return network;
}

std::span<const Sequential::Entry> some(const Sequential& network, std::size_t first, std::size_t count) {
  return {network.layers().data() + first, count};
}

TEST_CASE("layers that run as one read their first's input and write their last's output") {
  const Sequential network = make_network();
  int64_t flops = 0;
  for (std::size_t i = 0; i < 4; ++i) flops += network.layers()[i].layer->flops(network.layers()[i].input);
  const int64_t parameters = 3 * 2 * 4 + 4 + 4 + 4;  // running statistics are no traffic that counts
  CHECK(forward_cost(some(network, 0, 4), 10) == Cost{10 * flops, 4 * (10 * (24 + 16) + parameters)});
  CHECK(forward_cost(some(network, 0, 1), 10).bytes == 4 * (10 * (24 + 48) + 28));
}

TEST_CASE("a product has one product for each gradient that is wanted") {
  const Sequential network = make_network();
  const auto dense = some(network, 6, 1), convolution = some(network, 0, 1), pool = some(network, 3, 1);
  const int64_t flops = network.layers()[6].layer->flops({16});
  CHECK(backward_cost(dense, 10, true) == Cost{20 * flops, 4 * (10 * (5 + 16 + 16) + 2 * 85)});
  CHECK(backward_cost(dense, 10, false) == Cost{10 * flops, 4 * (10 * (5 + 16) + 2 * 85)});
  // The first convolution's input needs no gradient; what follows it needs one each.
  const auto flops_of = [&](std::size_t i) { return network.layers()[i].layer->flops(network.layers()[i].input); };
  CHECK(backward_cost(convolution, 1, false).flops == flops_of(0));
  CHECK(backward_cost(some(network, 0, 4), 1, false).flops ==
        flops_of(0) + 2 * flops_of(1) + flops_of(2) + flops_of(3));
  CHECK(backward_cost(pool, 1, true).bytes == 4 * (16 + 48 + 48));
  CHECK(backward_cost(pool, 1, false) == Cost{});
}

TEST_CASE("another shape of the same memory costs nothing") {
  const Sequential network = make_network();
  CHECK(forward_cost(some(network, 4, 1), 10) == Cost{});
  CHECK(backward_cost(some(network, 4, 1), 10, true) == Cost{});
}

TEST_CASE("what is trained") {
  const Sequential network = make_network();
  CHECK(has_parameters(*network.layers()[0].layer));
  CHECK(has_parameters(*network.layers()[1].layer));
  CHECK_FALSE(has_parameters(*network.layers()[2].layer));
}

}  // namespace
}  // namespace melgrad
