#include "apps/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "tensor/io/atomic_file.h"
#include "tensor/io/safetensors.h"

namespace melgrad {
namespace {

constexpr const char* log_header = "epoch\ttrain_loss\ttrain_accuracy\tvalid_loss\tvalid_accuracy\n";

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The loss of [train], with the weights of the classes that the training data ask for.
LossOptions loss_of(const TrainOptions& options, const Samples& train, int64_t outputs) {
  LossOptions loss = loss_options(options);
  if (options.class_weight == ClassWeight::none) return loss;
  require(!train.labels.empty(), "train.class_weight: balanced needs one label a sample");
  std::vector<double> counts(static_cast<std::size_t>(outputs));
  for (int32_t label : train.labels) ++counts.at(static_cast<std::size_t>(label));
  for (double count : counts)  // a class that does not occur is never asked for its weight
    loss.class_weights.push_back(static_cast<double>(train.size()) / static_cast<double>(outputs) /
                                 std::max(count, 1.0));
  return loss;
}

}  // namespace

std::vector<int64_t> epoch_order(int64_t n, bool shuffle, uint64_t seed, int64_t epoch) {
  std::vector<int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  if (shuffle) Generator(seed, Draw::shuffle, static_cast<uint32_t>(epoch)).shuffle(order);
  return order;
}

Trainer::Trainer(Sequential& network, const TrainOptions& options, const Samples& train, const Samples& valid,
                 std::filesystem::path folder, const BatchOptions& batches)
    : network_(network),
      options_(options),
      train_(train),
      valid_(valid),
      folder_(std::move(folder)),
      batches_(train, batches, options.batch, options.seed),
      step_(network, options, loss_of(options, train, network.output_shape().numel())),
      device_(network.state().front().tensor.device()) {
  validate(options);
  require(train.size() > 0, "train: no training samples; look at data.test, data.valid and what was skipped");
  if (options.average > 0)
    average_ = std::make_unique<MovingAverage>(as_parameters(network.parameters()), options.average);
  progress_.log = log_header;
  progress_.data = fingerprint(train) ^ (fingerprint(valid) * 3);
}

bool Trainer::resume() {
  const auto path = folder_ / "last.safetensors";
  if (!std::filesystem::exists(path)) return false;
  const uint64_t data = progress_.data;
  progress_ = load_checkpoint(path, network_, step_.optimizer(), average_.get());
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
  const auto finished_stages = [&] { return plateau_state(schedule_of(options_), progress_.valid_losses).finished; };
  while (progress_.epoch < options_.epochs && !out_of_patience() && !finished_stages()) {
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
  batches_.start(epoch_order(train_.size(), options_.shuffle, options_.seed, progress_.epoch), progress_.epoch,
                 progress_.step_in_epoch);
  const int64_t n = train_.size();
  while (progress_.step_in_epoch * options_.batch < n) {
    if (stop) {
      save();
      return false;
    }
    const int64_t first = progress_.step_in_epoch * options_.batch;
    const int64_t count = std::min(options_.batch, n - first);
    train_step(batches_.next(device_));
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

void Trainer::train_step(const Batch& batch) {
  const StepResult result =
      step_.run(batch, {.step = progress_.step, .epoch = progress_.epoch + 1, .learning_rate = scheduled_rate()});
  if (average_) average_->update();
  const auto n = static_cast<double>(batch.inputs.shape()[0]);
  progress_.loss_sum += options_.reduction == LossReduction::sum ? result.loss : result.loss * n;
  progress_.correct += count_correct(step_.loss(), result.output, network_.activation(), batch.targets);
  ++progress_.step_in_epoch;
  ++progress_.step;
}

double Trainer::scheduled_rate() const {
  return melgrad::scheduled_rate(schedule_of(options_), options_.learning_rate,
                                 {.step = progress_.step,
                                  .steps_per_epoch = (train_.size() + options_.batch - 1) / options_.batch,
                                  .epochs = options_.epochs,
                                  .valid_losses = progress_.valid_losses});
}

EpochResult Trainer::finish_epoch() {
  const double n = static_cast<double>(train_.size());
  EpochResult result{
      .epoch = progress_.epoch + 1, .train_loss = progress_.loss_sum / n, .train_accuracy = progress_.correct / n};
  if (average_) average_->swap();  // what is evaluated and kept
  if (valid_.size() > 0) {
    const SegmentScore valid = score_segments(network_, valid_, step_.loss(), options_.batch, options_.fuse);
    result.valid_loss = valid.loss;
    result.valid_accuracy = valid.accuracy;
  } else {
    result.valid_loss = result.train_loss;
    result.valid_accuracy = result.train_accuracy;
  }
  result.best = result.valid_loss < progress_.best_loss;
  progress_.valid_losses.push_back(result.valid_loss);
  progress_.log += fmt::format("{}\t{:.9g}\t{:.9g}\t{:.9g}\t{:.9g}\n", result.epoch, result.train_loss,
                               result.train_accuracy, result.valid_loss, result.valid_accuracy);
  if (result.best) {
    progress_.best_epoch = progress_.epoch;
    progress_.best_loss = result.valid_loss;
    // Before `last`: if we die between the two, the resumed run repeats this epoch and writes the same bytes again.
    save_weights(folder_ / "best.safetensors", network_,
                 {{"epoch", std::to_string(result.epoch)}, {"valid_loss", fmt::format("{:.9g}", result.valid_loss)}});
  }
  if (average_) average_->swap();
  const Schedule schedule = schedule_of(options_);
  if (schedule.kind == ScheduleKind::staged && plateau_state(schedule, progress_.valid_losses).reduced_now)
    restart_from_best();
  ++progress_.epoch;
  progress_.step_in_epoch = 0;
  progress_.loss_sum = 0;
  progress_.correct = 0;
  progress_.finished = progress_.epoch == options_.epochs;
  save();
  return result;
}

// A new stage: the best weights so far, and an optimizer that remembers nothing.
void Trainer::restart_from_best() {
  const auto best = folder_ / "best.safetensors";
  network_.load(load_safetensors(best).tensors, best.string());
  step_.renew_optimizer();
}

void Trainer::save() {
  save_checkpoint(folder_ / "last.safetensors", network_, step_.optimizer(), average_.get(), progress_);
  write_file_atomically(folder_ / "log.tsv", progress_.log);
}

}  // namespace melgrad
