// The training loop and its checkpoints from the inside; crash_test.cpp has them from the outside.
#include "apps/trainer.h"

#include <doctest/doctest.h>

#include <fstream>
#include <limits>
#include <numeric>
#include <set>

#include "kernels/philox.h"
#include "layers/dense.h"
#include "layers/reshape.h"
#include "tensor/io/atomic_file.h"
#include "tests/temporary_folder.h"

namespace melgrad::test {
namespace {

constexpr int64_t frames = 3, bins = 2, classes = 3;

// Samples of class c lie around c in each number; two segments a clip.
Samples make_samples(int64_t n, uint32_t seed) {
  Generator random(seed, Draw::test);
  Samples samples{.input = {frames, bins, 1}, .clips = (n + 1) / 2};
  for (int64_t i = 0; i < n; ++i) {
    const auto label = static_cast<int32_t>((i / 2) % classes);
    for (int64_t k = 0; k < frames * bins; ++k)
      samples.inputs.push_back(static_cast<float>(label + random.uniform(-0.2, 0.2)));
    samples.labels.push_back(label);
    samples.clip.push_back(static_cast<int32_t>(i / 2));
  }
  return samples;
}

Sequential make_network(uint64_t seed = 1) {
  Sequential network;
  network.add(Flatten())
      .add(Dense({.units = 8, .activation = ActivationFunction::relu}))
      .add(Dense({.units = classes, .activation = ActivationFunction::softmax}));
  network.build({frames, bins, 1}, {.seed = seed});
  return network;
}

std::vector<float> weights_of(const Sequential& network) {
  std::vector<float> values;
  for (const auto& [name, tensor] : network.values())
    values.insert(values.end(), tensor.data<float>().begin(), tensor.data<float>().end());
  return values;
}

const std::atomic<bool> never = false;

TEST_CASE("the order of an epoch is a permutation that its seed and number fix") {
  for (int64_t n : {0, 1, 2, 33}) {
    const auto order = epoch_order(n, true, 5, 2);
    CHECK(std::set(order.begin(), order.end()).size() == static_cast<std::size_t>(n));
    CHECK(order == epoch_order(n, true, 5, 2));
  }
  CHECK(epoch_order(33, true, 5, 2) != epoch_order(33, true, 5, 3));
  CHECK(epoch_order(33, true, 5, 2) != epoch_order(33, true, 6, 2));
  std::vector<int64_t> straight(33);
  std::iota(straight.begin(), straight.end(), 0);
  CHECK(epoch_order(33, false, 5, 2) == straight);
}

TEST_CASE("every sample is trained on once an epoch, the last batch being smaller") {
  const TemporaryFolder folder;
  const Samples train = make_samples(11, 1), valid = make_samples(6, 2);
  const TrainOptions options{.learning_rate = 0.05, .batch = 4, .epochs = 30};
  Sequential network = make_network();
  Trainer trainer(network, options, train, valid, folder.path());
  std::vector<int64_t> done;
  std::vector<EpochResult> epochs;
  const TrainingSummary summary =
      trainer.run({.on_step =
                       [&](int64_t epoch, int64_t samples, int64_t total, double) {
                         if (epoch == 1) done.push_back(samples);
                         CHECK(total == 11);
                       },
                   .on_epoch = [&](const EpochResult& result) { epochs.push_back(result); }},
                  never);
  CHECK(done == std::vector<int64_t>{4, 8, 11});
  CHECK(summary.samples == 30 * 11);
  CHECK(summary.epochs == 30);
  CHECK(epochs.back().train_accuracy == 1);
  CHECK(epochs.back().valid_accuracy == 1);
  CHECK(epochs.back().train_loss < 0.5 * epochs.front().train_loss);
  CHECK(trainer.progress().step == 30 * 3);
  const std::string log = read_file(folder / "log.tsv", 1 << 20);
  CHECK(std::count(log.begin(), log.end(), '\n') == 31);
}

TEST_CASE("the best weights are those of the least validation loss, the first of equals") {
  const TemporaryFolder folder;
  const Samples train = make_samples(12, 1), valid = make_samples(6, 2);
  // Nothing is learned at rate 0: every epoch is as good as the first.
  const TrainOptions options{.learning_rate = 0, .batch = 4, .epochs = 9, .patience = 3};
  Sequential network = make_network();
  Trainer trainer(network, options, train, valid, folder.path());
  const TrainingSummary summary = trainer.run({}, never);
  CHECK(summary.best_epoch == 1);
  CHECK(summary.epochs == 4);  // three epochs of patience
}

TEST_CASE("a loss that is no number ends the training with advice, and what was saved stays") {
  const TemporaryFolder folder;
  Samples train = make_samples(12, 1);
  const Samples valid = make_samples(6, 2);
  const TrainOptions options{.learning_rate = 0.01, .batch = 4, .epochs = 3, .shuffle = false};
  train.inputs[5 * frames * bins] = std::numeric_limits<float>::quiet_NaN();
  Sequential network = make_network();
  Trainer trainer(network, options, train, valid, folder.path());
  CHECK_THROWS_WITH_AS(trainer.run({}, never), doctest::Contains("train.learning_rate"), Error);
  CHECK_FALSE(std::filesystem::exists(folder / "last.safetensors"));
}

TEST_CASE("no samples") {
  const TemporaryFolder folder;
  const TrainOptions options;
  Sequential network = make_network();
  const Samples some = make_samples(4, 1), none{.input = {frames, bins, 1}};
  CHECK_THROWS_WITH_AS(Trainer(network, options, none, some, folder.path()), doctest::Contains("no training samples"),
                       Error);
  // With nothing to validate on, the training loss decides.
  const TrainOptions short_one{.learning_rate = 0.01, .batch = 4, .epochs = 2};
  Trainer trainer(network, short_one, some, none, folder.path());
  CHECK(trainer.run({}, never).best_epoch == 2);
}

TEST_CASE("stopped after any step and resumed, a run ends with the same weights") {
  const Samples train = make_samples(11, 1), valid = make_samples(6, 2);
  for (const auto optimizer : {OptimizerKind::sgd, OptimizerKind::adam}) {
    const TrainOptions options{
        .optimizer = optimizer, .learning_rate = 0.01, .momentum = 0.9, .batch = 4, .epochs = 3, .seed = 3};
    const TemporaryFolder whole_folder;
    Sequential whole = make_network();
    Trainer(whole, options, train, valid, whole_folder.path()).run({}, never);
    for (int64_t stop_at = 1; stop_at < 9; ++stop_at) {
      const TemporaryFolder folder;
      {
        Sequential network = make_network();
        Trainer trainer(network, options, train, valid, folder.path());
        CHECK_FALSE(trainer.resume());
        std::atomic<bool> stop = false;
        int64_t steps = 0;
        const auto on_step = [&](int64_t, int64_t, int64_t, double) { stop = ++steps == stop_at; };
        // A stop asked for in an epoch's last step takes effect in the next epoch.
        CHECK(trainer.run({.on_step = on_step, .on_epoch = {}}, stop).interrupted);
      }
      Sequential network = make_network(99);  // its weights come from the checkpoint
      Trainer trainer(network, options, train, valid, folder.path());
      CHECK(trainer.resume());
      CHECK(trainer.progress().step == stop_at);
      trainer.run({}, never);
      CHECK(weights_of(network) == weights_of(whole));
      CHECK(read_file(folder / "log.tsv", 1 << 20) == read_file(whole_folder / "log.tsv", 1 << 20));
    }
  }
}

TEST_CASE("a checkpoint cut off anywhere, or of something else, is an error that names it") {
  const TemporaryFolder folder;
  const Samples train = make_samples(8, 1), valid = make_samples(4, 2);
  const TrainOptions options{.batch = 4, .epochs = 1};
  Sequential network = make_network();
  Trainer(network, options, train, valid, folder.path()).run({}, never);
  const std::string bytes = read_file(folder / "last.safetensors", 1 << 24);
  for (std::size_t length = 0; length < bytes.size(); length += 1 + bytes.size() / 97) {
    folder.write("last.safetensors", std::string_view(bytes).substr(0, length));
    Trainer trainer(network, options, train, valid, folder.path());
    CHECK_THROWS_WITH_AS(trainer.resume(), doctest::Contains("last.safetensors"), Error);
  }
  // The weights alone are no checkpoint; nor is one of another network or optimizer.
  std::filesystem::copy_file(folder / "best.safetensors", folder / "last.safetensors",
                             std::filesystem::copy_options::overwrite_existing);
  CHECK_THROWS_WITH_AS(Trainer(network, options, train, valid, folder.path()).resume(),
                       doctest::Contains("not a checkpoint"), Error);
  folder.write("last.safetensors", bytes);
  const TrainOptions momentum{.optimizer = OptimizerKind::sgd, .momentum = 0.9, .batch = 4, .epochs = 1};
  CHECK_THROWS_WITH_AS(Trainer(network, momentum, train, valid, folder.path()).resume(),
                       doctest::Contains("last.safetensors"), Error);
  Sequential wider;
  wider.add(Flatten()).add(Dense({.units = 9})).add(Dense({.units = classes}));
  wider.build({frames, bins, 1}, {});
  CHECK_THROWS_WITH_AS(Trainer(wider, options, train, valid, folder.path()).resume(),
                       doctest::Contains("last.safetensors"), Error);
}

}  // namespace
}  // namespace melgrad::test
