#include "apps/batch_source.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "audio/augment.h"
#include "audio/stored_clip.h"

namespace melgrad {

uint64_t HostBatch::hash() const {
  const uint64_t parts[] = {checksum_of(inputs.data(), inputs.size() * sizeof(float)),
                            checksum_of(labels.data(), labels.size() * sizeof(int32_t)),
                            checksum_of(targets.data(), targets.size() * sizeof(float))};
  return checksum_of(parts, sizeof parts);
}

BatchSource::BatchSource(const Samples& samples, const BatchOptions& options, int64_t batch, uint64_t seed)
    : samples_(samples), options_(options), batch_(batch), seed_(seed) {
  validate(options.augment);
  require(options.augment.mixup == 0 || !samples.targets.empty(),
          "augment.mixup: mixes targets, and these samples have labels alone");
  require(samples.source != nullptr || !(options.augment.changes_samples() || options.augment.changes_features()),
          "augment: features that were made elsewhere cannot be varied, only mixed");
}

BatchSource::~BatchSource() {
  stop_workers();
}

void BatchSource::stop_workers() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wanted_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
  ready_.clear();
  failed_.clear();
  stop_ = false;
}

void BatchSource::start(std::vector<int64_t> order, int64_t epoch, int64_t first) {
  stop_workers();
  order_ = std::move(order);
  epoch_ = epoch;
  batches_ = (static_cast<int64_t>(order_.size()) + batch_ - 1) / batch_;
  taken_ = claimed_ = first;
  for (int i = 0; i < options_.workers; ++i) workers_.emplace_back([this] { work(); });
}

void BatchSource::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wanted_.wait(lock, [this] { return stop_ || (claimed_ < batches_ && claimed_ < taken_ + 2 * options_.workers); });
    if (stop_) return;
    const int64_t number = claimed_++;
    lock.unlock();
    HostBatch batch;
    std::exception_ptr error;
    try {
      batch = make(number);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    error ? void(failed_.emplace(number, error)) : void(ready_.emplace(number, std::move(batch)));
    made_.notify_all();
  }
}

HostBatch BatchSource::next() {
  require(taken_ < batches_, "batches: an epoch of {} was asked for another", batches_);
  if (workers_.empty()) return make(taken_++);
  std::unique_lock lock(mutex_);
  made_.wait(lock, [this] { return ready_.contains(taken_) || failed_.contains(taken_); });
  if (failed_.contains(taken_)) std::rethrow_exception(failed_.at(taken_));
  HostBatch batch = std::move(ready_.extract(taken_).mapped());
  ++taken_;
  wanted_.notify_all();
  return batch;
}

HostBatch BatchSource::make(int64_t number) const {
  const int64_t first = number * batch_;
  const auto indices = std::span(order_).subspan(
      static_cast<std::size_t>(first),
      std::min<std::size_t>(static_cast<std::size_t>(batch_), order_.size() - static_cast<std::size_t>(first)));
  const auto values = static_cast<std::size_t>(samples_.input.numel());
  const auto outputs = static_cast<std::size_t>(samples_.outputs);
  HostBatch batch{.size = static_cast<int64_t>(indices.size()), .inputs = {}, .labels = {}, .targets = {}};
  batch.inputs.resize(indices.size() * values);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto index = static_cast<std::size_t>(indices[i]);
    require(indices[i] >= 0 && indices[i] < samples_.size(), "batches: asked for sample {} of {}", indices[i],
            samples_.size());
    const std::span to = std::span(batch.inputs).subspan(i * values, values);
    int64_t semitones = 0;
    if (samples_.source) {
      semitones = samples_.source->draw(indices[i], seed_, epoch_, to);
    } else {
      read_input(samples_, indices[i], to);
    }
    if (!samples_.keys) semitones = 0;
    if (samples_.targets.empty()) {
      const int32_t label = samples_.labels[index];
      batch.labels.push_back(semitones == 0 ? label : shifted_key(label, semitones));
    } else {
      const auto row = samples_.targets.begin() + static_cast<std::ptrdiff_t>(index * outputs);
      batch.targets.insert(batch.targets.end(), row, row + static_cast<std::ptrdiff_t>(outputs));
      if (semitones != 0) {  // one-hot rows of the 24 keys
        const auto moved = batch.targets.end() - static_cast<std::ptrdiff_t>(outputs);
        for (std::size_t key = 0; key < outputs; ++key)
          moved[shifted_key(static_cast<int32_t>(key), semitones)] = row[static_cast<std::ptrdiff_t>(key)];
      }
    }
  }
  if (options_.augment.mixup > 0) mix(batch, number);
  return batch;
}

// x_i := λ x_i + (1 - λ) x_j with j a shuffled order of the batch, and the targets alike.
void BatchSource::mix(HostBatch& batch, int64_t number) const {
  Generator random(seed_, Draw::mixup, static_cast<uint32_t>(epoch_), static_cast<uint32_t>(number));
  const auto share = static_cast<float>(draw_beta(options_.augment.mixup, random));
  std::vector<std::size_t> partner(static_cast<std::size_t>(batch.size));
  std::iota(partner.begin(), partner.end(), std::size_t{0});
  random.shuffle(partner);
  for (std::vector<float>* rows : {&batch.inputs, &batch.targets}) {
    const std::vector<float> before = *rows;
    const std::size_t width = before.size() / partner.size();
    for (std::size_t i = 0; i < partner.size(); ++i)
      for (std::size_t k = 0; k < width; ++k)
        (*rows)[i * width + k] = share * before[i * width + k] + (1 - share) * before[partner[i] * width + k];
  }
}

Batch BatchSource::next(Device device) {
  HostBatch host = next();
  const Tensor inputs = Tensor::from(host.inputs, samples_.input.with_batch(host.size));
  const Tensor targets = samples_.targets.empty() ? Tensor::from(host.labels, {host.size})
                                                  : Tensor::from(host.targets, {host.size, samples_.outputs});
  if (device == Device::cpu) return {inputs, targets};
  return {inputs.to(device), targets.to(device)};
}

}  // namespace melgrad
