// Random graphs: what the tape says of them and what finite differences say.
#include "tests/tensor/random_graph.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tensor/autograd.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad {
namespace {

using test::RandomGraph;

constexpr uint64_t graphs = 400;
constexpr int deepest = 20;

// A move of one leaf, each element by its own share.
struct Direction {
  std::size_t leaf;
  std::vector<double> shares;
};

Direction random_direction(uint64_t seed, std::size_t leaf, int64_t size) {
  Generator random(seed, Draw::test, 79, static_cast<uint32_t>(leaf));
  Direction direction{leaf, std::vector<double>(static_cast<std::size_t>(size))};
  for (double& share : direction.shares) share = random.uniform(-1, 1);
  return direction;
}

// The central difference of the graph's scalar along a direction.
double slope(const RandomGraph& graph, const Direction& direction, double step) {
  const NoGrad no_grad;
  std::vector<Tensor> leaves = graph.leaves();
  const auto at = [&](double distance) {
    leaves[direction.leaf] = graph.leaves()[direction.leaf].clone();
    const std::span<double> numbers = leaves[direction.leaf].mutable_data<double>();
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] += distance * direction.shares[i];
    return graph.run(leaves).item();
  };
  return (at(step) - at(-step)) / (2 * step);
}

struct Tally {
  int compared = 0, at_kinks = 0;
};

void check_graph(uint64_t seed, int depth, Tally& tally) {
  const RandomGraph graph(seed, depth);
  INFO("random graph of seed ", seed, ", depth ", depth, ":\n", graph.to_string());
  std::vector<Tensor> leaves;
  for (const Tensor& leaf : graph.leaves()) leaves.push_back(leaf.clone().set_requires_grad());
  graph.run(leaves).backward();
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    REQUIRE(leaves[i].grad().defined());
    const Direction direction = random_direction(seed, i, leaves[i].numel());
    const std::vector<double> gradient = test::values_of(leaves[i].grad());
    double taped = 0;
    for (std::size_t e = 0; e < gradient.size(); ++e) taped += gradient[e] * direction.shares[e];
    constexpr double step = 2e-5;
    const double expected = slope(graph, direction, step), closer = slope(graph, direction, step / 2);
    const double bound = 1e-6 * std::max(1.0, std::abs(expected));
    // Two steps that disagree have a kink between them (relu, a tie of a maximum), whatever the tape says.
    if (std::abs(expected - closer) > bound / 4) {
      ++tally.at_kinks;
      continue;
    }
    ++tally.compared;
    INFO("leaf ", i, " of ", leaves.size(), ", ", leaves[i].shape().to_string());
    CHECK_MESSAGE(std::abs(taped - expected) <= bound, taped << " by the tape, " << expected << " by differences");
  }
}

TEST_CASE("random graphs of every operation agree with finite differences") {
  Tally tally;
  for (uint64_t seed = 0; seed < graphs; ++seed) check_graph(seed, 1 + static_cast<int>(seed % deepest), tally);
  MESSAGE(graphs << " graphs to depth " << deepest << ": " << tally.compared << " gradients compared, "
                 << tally.at_kinks << " at kinks");
  CHECK(tally.compared > 1500);
  CHECK(tally.at_kinks < tally.compared / 100);
}

TEST_CASE("random graphs hold every operation, many of them often") {
  std::map<std::string, int> counts;
  for (uint64_t seed = 0; seed < graphs; ++seed)
    for (const auto& [operation, count] : RandomGraph(seed, 1 + static_cast<int>(seed % deepest)).operations())
      counts[operation] += count;
  std::string all;
  for (const auto& [operation, count] : counts) {
    all += fmt::format("{} {}, ", operation, count);
    CHECK_MESSAGE(count >= 10, operation);
  }
  MESSAGE(all);
  CHECK(counts.size() >= 50);
}

}  // namespace
}  // namespace melgrad
