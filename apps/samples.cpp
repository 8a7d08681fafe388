#include "apps/samples.h"

#include <algorithm>
#include <cstring>

#include "audio/stored_clip.h"

namespace melgrad {

namespace {

// Rows of `from` (each of `size` numbers) by index.
template <class T>
Tensor gather(const std::vector<T>& from, std::span<const int64_t> indices, const Shape& row, DType dtype) {
  const auto size = static_cast<std::size_t>(row.numel());
  Tensor result = Tensor::empty(row.with_batch(static_cast<int64_t>(indices.size())), dtype);
  auto to = result.mutable_data<T>();
  for (std::size_t i = 0; i < indices.size(); ++i)
    std::memcpy(to.data() + i * size, from.data() + static_cast<std::size_t>(indices[i]) * size, size * sizeof(T));
  return result;
}

}  // namespace

void read_input(const Samples& samples, int64_t index, std::span<float> to) {
  if (samples.source) return samples.source->read(index, to);
  const auto first = samples.inputs.begin() + index * samples.input.numel();
  std::copy_n(first, to.size(), to.begin());
}

Batch make_batch(const Samples& samples, std::span<const int64_t> indices, Device device) {
  Tensor inputs = Tensor::empty(samples.input.with_batch(static_cast<int64_t>(indices.size())), DType::f32);
  const auto size = static_cast<std::size_t>(samples.input.numel());
  auto to = inputs.mutable_data<float>();
  for (std::size_t i = 0; i < indices.size(); ++i) read_input(samples, indices[i], to.subspan(i * size, size));
  const Batch batch{std::move(inputs), samples.targets.empty()
                                           ? gather(samples.labels, indices, {}, DType::i32)
                                           : gather(samples.targets, indices, {samples.outputs}, DType::f32)};
  if (device == Device::cpu) return batch;
  return {batch.inputs.to(device), batch.targets.to(device)};
}

void make_one_hot_targets(Samples& samples, int64_t outputs) {
  const Tensor rows = one_hot(Tensor::from(samples.labels, {samples.size()}), outputs, DType::f32);
  samples.targets.assign(rows.data<float>().begin(), rows.data<float>().end());
  samples.outputs = outputs;
}

void fit_targets(Samples& samples, Loss loss, int64_t outputs) {
  if (!samples.targets.empty()) {
    require(samples.outputs == outputs, "the data have {} targets a sample and the network {} outputs", samples.outputs,
            outputs);
    return;
  }
  for (int32_t label : samples.labels)
    require(label >= 0 && label < outputs, "the data have a label {} and the network {} outputs", label, outputs);
  if (loss == Loss::cross_entropy || samples.labels.empty()) return;
  make_one_hot_targets(samples, outputs);
}

uint64_t fingerprint(const Samples& samples) {
  std::vector<uint64_t> parts{samples.source ? samples.source->fingerprint() : 0};
  for (int64_t axis = 0; axis < samples.input.rank(); ++axis)
    parts.push_back(static_cast<uint64_t>(samples.input[axis]));
  const auto add = [&](const auto& values) {
    parts.push_back(checksum_of(values.data(), values.size() * sizeof(values[0])));
  };
  add(samples.inputs);
  add(samples.labels);
  add(samples.targets);
  add(samples.clip);
  return checksum_of(parts.data(), parts.size() * sizeof(uint64_t));
}

}  // namespace melgrad
