#include "apps/trainer.h"

#include <chrono>
#include <cmath>
#include <numeric>

#include "tensor/io/atomic_file.h"

namespace melgrad {
namespace {

constexpr const char* log_header = "epoch\ttrain_loss\ttrain_accuracy\tvalid_loss\tvalid_accuracy\n";

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int64_t count_correct(const Tensor& output, const Tensor& labels) {
  const Tensor scores = output.detach().to(Device::cpu);
  const Tensor truth = labels.to(Device::cpu);
  const auto classes = static_cast<std::size_t>(scores.shape()[1]);
  int64_t correct = 0;
  for (std::size_t row = 0; row < truth.data<int32_t>().size(); ++row)
    correct += argmax(scores.data<float>().subspan(row * classes, classes)) == truth.data<int32_t>()[row];
  return correct;
}

}  // namespace

std::vector<int64_t> epoch_order(int64_t n, bool shuffle, uint64_t seed, int64_t epoch) {
  std::vector<int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  if (shuffle) Generator(seed, Draw::shuffle, static_cast<uint32_t>(epoch)).shuffle(order);
  return order;
}

Trainer::Trainer(Sequential& network, const TrainOptions& options, const Samples& train, const Samples& valid,
                 std::filesystem::path folder)
    : network_(network),
      options_(options),
      train_(train),
      valid_(valid),
      folder_(std::move(folder)),
      optimizer_(make_optimizer(options, as_parameters(network.parameters()))),
      device_(network.state().front().tensor.device()) {
  validate(options);
  require(train.size() > 0, "train: no training samples; look at data.test, data.valid and what was skipped");
  require(valid.size() > 0, "train: no validation samples; raise data.valid");
  progress_.log = log_header;
  progress_.data = fingerprint(train) ^ (fingerprint(valid) * 3);
}

bool Trainer::resume() {
  const auto path = folder_ / "last.safetensors";
  if (!std::filesystem::exists(path)) return false;
  const uint64_t data = progress_.data;
  progress_ = load_checkpoint(path, network_, *optimizer_);
  require(progress_.data == data, "{}: was trained on other data; resume with the --data that it was started with",
          folder_.string());
  progress_.finished = false;  // there may be more epochs to do than it was started with
  write_file_atomically(folder_ / "log.tsv", progress_.log);
  return true;
}

TrainingSummary Trainer::run(const TrainingEvents& events, const std::atomic<bool>& stop) {
  TrainingSummary summary;
  const auto out_of_patience = [&] {
    return options_.patience > 0 && progress_.epoch - 1 - progress_.best_epoch >= options_.patience;
  };
  while (progress_.epoch < options_.epochs && !out_of_patience()) {
    if (!run_epoch(events, stop, summary)) {
      summary.interrupted = true;
      break;
    }
  }
  summary.epochs = progress_.epoch;
  summary.best_epoch = progress_.best_epoch + 1;
  return summary;
}

bool Trainer::run_epoch(const TrainingEvents& events, const std::atomic<bool>& stop, TrainingSummary& summary) {
  const auto start = std::chrono::steady_clock::now();
  const auto order = epoch_order(train_.size(), options_.shuffle, options_.seed, progress_.epoch);
  const int64_t n = train_.size();
  while (progress_.step_in_epoch * options_.batch < n) {
    if (stop) {
      save();
      return false;
    }
    const int64_t first = progress_.step_in_epoch * options_.batch;
    const int64_t count = std::min(options_.batch, n - first);
    train_step(std::span(order).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
    summary.samples += count;
    if (events.on_step) {
      events.on_step(progress_.epoch + 1, first + count, n, progress_.loss_sum / static_cast<double>(first + count));
    }
  }
  EpochResult result = finish_epoch();
  result.seconds = seconds_since(start);
  summary.seconds += result.seconds;
  if (events.on_epoch) events.on_epoch(result);
  return true;
}

void Trainer::train_step(std::span<const int64_t> indices) {
  const Batch batch = make_batch(train_, indices, device_);
  const Pass pass{.training = true, .seed = options_.seed, .step = static_cast<uint32_t>(progress_.step)};
  const Tensor output = network_.pre_activation(batch.inputs, pass);
  const Tensor loss = compute_loss(options_.loss, output, batch.labels);
  optimizer_->zero_grad();
  loss.backward();
  optimizer_->step();
  const double value = loss.item();
  require(std::isfinite(value),
          "train: the loss is {} in epoch {}; lower train.learning_rate (now {}) or look at the data", value,
          progress_.epoch + 1, options_.learning_rate);
  progress_.loss_sum += value * static_cast<double>(indices.size());
  progress_.correct += count_correct(output, batch.labels);
  ++progress_.step_in_epoch;
  ++progress_.step;
}

EpochResult Trainer::finish_epoch() {
  const double n = static_cast<double>(train_.size());
  const SegmentScore valid = score_segments(network_, valid_, options_.loss, options_.batch);
  EpochResult result{.epoch = progress_.epoch + 1,
                     .train_loss = progress_.loss_sum / n,
                     .train_accuracy = static_cast<double>(progress_.correct) / n,
                     .valid_loss = valid.loss,
                     .valid_accuracy = valid.accuracy,
                     .best = valid.loss < progress_.best_loss};
  progress_.log += fmt::format("{}\t{:.9g}\t{:.9g}\t{:.9g}\t{:.9g}\n", result.epoch, result.train_loss,
                               result.train_accuracy, result.valid_loss, result.valid_accuracy);
  if (result.best) {
    progress_.best_epoch = progress_.epoch;
    progress_.best_loss = valid.loss;
    // Before `last`: if we die between the two, the resumed run repeats this epoch and writes the same bytes again.
    save_weights(folder_ / "best.safetensors", network_,
                 {{"epoch", std::to_string(result.epoch)}, {"valid_loss", fmt::format("{:.9g}", valid.loss)}});
  }
  ++progress_.epoch;
  progress_.step_in_epoch = 0;
  progress_.loss_sum = 0;
  progress_.correct = 0;
  progress_.finished = progress_.epoch == options_.epochs;
  save();
  return result;
}

void Trainer::save() {
  save_checkpoint(folder_ / "last.safetensors", network_, *optimizer_, progress_);
  write_file_atomically(folder_ / "log.tsv", progress_.log);
}

}  // namespace melgrad
