// Batches made ahead by workers: the same for any number of them, from any step on.
#include "apps/batch_source.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <set>

#include "apps/load_data.h"
#include "apps/trainer.h"
#include "audio/mel.h"
#include "kernels/philox.h"
#include "layers/dense.h"
#include "layers/reshape.h"
#include "tests/apps/program.h"

namespace melgrad::test {
namespace {

// The tone set with everything switched on that can be.
Config augmented_config() {
  return load_recipe("gtzan-mfcc",
                     {"data.duration=0.25", "data.segments=1", "data.split=random-tracks", "data.crop=random",
                      "frontend.sample_rate=8000", "frontend.n_fft=256", "frontend.hop=64", "augment.gain_db=6",
                      "augment.noise_snr_db=20", "augment.pitch_down=2", "augment.pitch_up=2", "augment.time_masks=1",
                      "augment.time_width=5", "augment.band_masks=1", "augment.band_width=3", "augment.mixup=0.4",
                      "train.batch=5", "train.epochs=2"});
}

struct Data {
  TemporaryFolder folder;
  Config config = augmented_config();
  LoadedData data;
  Data() {
    make_tone_set(folder / "data", 8);
    data = load_data(config, folder / "data", Purpose::training);
    fit_labels(data, config);
  }
};

std::vector<uint64_t> hashes_of(const Samples& samples, const Config& config, int workers, int64_t first = 0) {
  BatchSource source(samples, {.augment = config.augment, .workers = workers}, config.train.batch, 7);
  std::vector<uint64_t> hashes;
  const int64_t batches = (samples.size() + config.train.batch - 1) / config.train.batch;
  for (int64_t epoch = 0; epoch < 2; ++epoch) {
    source.start(epoch_order(samples.size(), true, 7, epoch), epoch, first);
    for (int64_t step = first; step < batches; ++step) hashes.push_back(source.next().hash());
  }
  return hashes;
}

TEST_CASE("0, 1 and 4 workers give the same batches, augmentation on, over two epochs") {
  const Data data;
  const Samples& train = data.data.train;
  const std::vector<uint64_t> expected = hashes_of(train, data.config, 0);
  for (int workers : {1, 4}) CHECK(hashes_of(train, data.config, workers) == expected);
  std::string line;
  for (uint64_t hash : expected) line += fmt::format(" {:016x}", hash);
  MESSAGE("hashes of the batches with 0, 1 and 4 workers:" << line);
  CHECK(std::set(expected.begin(), expected.end()).size() == expected.size());  // no epoch repeats another
  // From any step on, as a resumed run begins.
  const std::vector<uint64_t> later = hashes_of(train, data.config, 2, 2);
  CHECK(std::vector(expected.begin() + 2, expected.begin() + static_cast<long>(expected.size()) / 2) ==
        std::vector(later.begin(), later.begin() + static_cast<long>(later.size()) / 2));
}

TEST_CASE("the number of workers changes no weight") {
  const Data data;
  std::vector<std::vector<float>> weights;
  for (int workers : {0, 1, 4}) {
    const TemporaryFolder run;
    Sequential network;
    network.add(Flatten()).add(Dense({.units = 3, .activation = ActivationFunction::softmax}));
    network.build(data.data.train.input, {.seed = 1});
    Trainer trainer(network, data.config.train, data.data.train, data.data.valid, run.path(),
                    {.augment = data.config.augment, .workers = workers});
    const std::atomic<bool> never = false;
    trainer.run({}, never);
    std::vector<float>& values = weights.emplace_back();
    for (const auto& [name, tensor] : network.values())
      values.insert(values.end(), tensor.data<float>().begin(), tensor.data<float>().end());
  }
  CHECK(weights[1] == weights[0]);
  CHECK(weights[2] == weights[0]);
}

TEST_CASE("stopped in the middle of an epoch of varied samples and resumed: the same weights") {
  const Data data;
  const auto train = [&](const TemporaryFolder& run, int64_t stop_at, bool resume) {
    Sequential network;
    network.add(Flatten()).add(Dense({.units = 3, .activation = ActivationFunction::softmax}));
    network.build(data.data.train.input, {.seed = 1});
    Trainer trainer(network, data.config.train, data.data.train, data.data.valid, run.path(),
                    {.augment = data.config.augment, .workers = resume ? 3 : 1});
    if (resume) CHECK(trainer.resume());
    std::atomic<bool> stop = false;
    int64_t steps = 0;
    trainer.run({.on_step = [&](int64_t, int64_t, int64_t, double) { stop = ++steps == stop_at; }, .on_epoch = {}},
                stop);
    return file_bytes(run / "last.safetensors");
  };
  const TemporaryFolder whole, parts;
  const std::string expected = train(whole, -1, false);
  train(parts, 2, false);
  CHECK(train(parts, -1, true) == expected);
}

// Of two clips that are a tone each.
TEST_CASE("key-kw17 shifts training clips by -4 to 7 semitones, and the key moves by what the bands say") {
  constexpr int rate = 44100;
  const std::vector<double> hertz{440, 523.251};
  const std::vector<int32_t> keys{19, 0};  // A major, C minor
  const TemporaryFolder folder;
  folder.write("keys.csv", "track_id,key,key_confidence,mode,mode_confidence\na,9,1,1,1\nc,0,1,0,1\n");
  for (std::size_t i = 0; i < 2; ++i) {
    std::vector<float> tone;
    for (int t = 0; t < 2 * rate; ++t)
      tone.push_back(0.3F * static_cast<float>(std::sin(2 * std::numbers::pi * hertz[i] * t / rate)));
    const auto path = folder / (i == 0 ? "9-1/a.wav" : "0-0/c.wav");
    std::filesystem::create_directories(path.parent_path());
    write_wav(path, tone, rate);
  }
  const Config config = load_recipe("key-kw17", {"data.duration=1", "data.test=0", "data.valid=0"});
  const LoadedData data = load_data(config, folder.path(), Purpose::training);
  BatchSource source(data.train, {.augment = config.augment}, 2, 7);
  const int64_t frames = data.train.input[0], bands = data.train.input[1];
  std::set<int64_t> shifts;
  for (int64_t epoch = 0; epoch < 60; ++epoch) {
    source.start({0, 1}, epoch);
    const HostBatch batch = source.next();
    for (std::size_t i = 0; i < 2; ++i) {
      const float* middle = batch.inputs.data() + (static_cast<int64_t>(i) * frames + frames / 2) * bands;
      const double loudest = band_hz(config.frontend, std::max_element(middle, middle + bands) - middle);
      const std::size_t clip = data.train.labels[i] == keys[0] ? 0 : 1;
      const int64_t shift = std::lround(12 * std::log2(loudest / hertz[clip]));
      CHECK(batch.labels[i] == (keys[clip] + 2 * shift + 24) % 24);
      shifts.insert(shift);
    }
  }
  CHECK(shifts == std::set<int64_t>{-4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7});
}

Samples plain_samples() {
  Samples samples{.input = {2}, .clips = 6};
  for (int32_t i = 0; i < 6; ++i) {
    samples.inputs.insert(samples.inputs.end(), {static_cast<float>(i), 10 + static_cast<float>(i)});
    samples.labels.push_back(i % 3);
    samples.clip.push_back(i);
  }
  return samples;
}

TEST_CASE("without augmentation a batch is its samples") {
  const Samples samples = plain_samples();
  for (int workers : {0, 3}) {
    BatchSource source(samples, {.workers = workers}, 4, 1);
    source.start({5, 0, 2, 1, 4}, 0);
    CHECK(source.next().inputs == std::vector<float>{5, 15, 0, 10, 2, 12, 1, 11});
    CHECK(source.next().labels == std::vector<int32_t>{1});
    CHECK_THROWS_AS(source.next(), Error);
    source.start({5, 0, 2, 1, 4}, 1, 1);
    CHECK(source.next().inputs == std::vector<float>{4, 14});
  }
}

AugmentOptions mixup_options() {
  AugmentOptions options;
  options.mixup = 1;
  return options;
}

AugmentOptions gain_options() {
  AugmentOptions options;
  options.gain_db = 3;
  return options;
}

TEST_CASE("mixup mixes inputs and targets in one share") {
  Samples samples = plain_samples();
  CHECK_THROWS_WITH_AS(BatchSource(samples, {.augment = mixup_options()}, 6, 1), doctest::Contains("mixup"), Error);
  make_one_hot_targets(samples, 3);
  BatchSource source(samples, {.augment = mixup_options()}, 6, 1);
  std::vector<int64_t> order(6);
  std::iota(order.begin(), order.end(), 0);
  bool mixed = false;
  for (int64_t epoch = 0; epoch < 5; ++epoch) {
    source.start(order, epoch);
    const HostBatch batch = source.next();
    for (std::size_t i = 0; i < 6; ++i) {
      const float first = batch.inputs[2 * i],
                  sum = batch.targets[3 * i] + batch.targets[3 * i + 1] + batch.targets[3 * i + 2];
      CHECK(sum == doctest::Approx(1));
      CHECK(batch.inputs[2 * i + 1] == doctest::Approx(first + 10));
      mixed = mixed || std::abs(first - static_cast<float>(i)) > 0.01F;
      CHECK(*std::ranges::max_element(batch.targets) <= 1);
    }
  }
  CHECK(mixed);
}

TEST_CASE("features made elsewhere are mixed at most, and a worker's failure reaches the trainer") {
  const Samples samples = plain_samples();
  CHECK_THROWS_WITH_AS(BatchSource(samples, {.augment = gain_options()}, 2, 1), doctest::Contains("made elsewhere"),
                       Error);
  for (int workers : {0, 2}) {
    BatchSource source(samples, {.workers = workers}, 2, 1);
    source.start({0, 1, 6, 2}, 0);
    CHECK(source.next().size == 2);
    CHECK_THROWS_WITH_AS(source.next(), doctest::Contains("sample 6 of 6"), Error);
  }
}

}  // namespace
}  // namespace melgrad::test
