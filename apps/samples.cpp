#include "apps/samples.h"

#include <cstring>

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

Batch make_batch(const Samples& samples, std::span<const int64_t> indices, Device device) {
  const Batch batch{gather(samples.inputs, indices, samples.input, DType::f32),
                    samples.targets.empty() ? gather(samples.labels, indices, {}, DType::i32)
                                            : gather(samples.targets, indices, {samples.outputs}, DType::f32)};
  if (device == Device::cpu) return batch;
  return {batch.inputs.to(device), batch.targets.to(device)};
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
  const Tensor rows = one_hot(Tensor::from(samples.labels, {samples.size()}), outputs, DType::f32);
  samples.targets.assign(rows.data<float>().begin(), rows.data<float>().end());
  samples.outputs = outputs;
}

namespace {

// FNV-1a over 64-bit words: not against malice, only against mistakes.
void hash_bytes(uint64_t& hash, const void* data, std::size_t bytes) {
  const auto* byte = static_cast<const unsigned char*>(data);
  for (; bytes >= 8; byte += 8, bytes -= 8) {
    uint64_t word;
    std::memcpy(&word, byte, 8);
    hash = (hash ^ word) * 0x100000001b3;
    hash ^= hash >> 29;
  }
  for (; bytes > 0; ++byte, --bytes) hash = (hash ^ *byte) * 0x100000001b3;
}

}  // namespace

uint64_t fingerprint(const Samples& samples) {
  uint64_t hash = 0xcbf29ce484222325;
  for (int64_t axis = 0; axis < samples.input.rank(); ++axis) {
    const int64_t size = samples.input[axis];
    hash_bytes(hash, &size, sizeof size);
  }
  hash_bytes(hash, samples.inputs.data(), samples.inputs.size() * sizeof(float));
  hash_bytes(hash, samples.labels.data(), samples.labels.size() * sizeof(int32_t));
  hash_bytes(hash, samples.targets.data(), samples.targets.size() * sizeof(float));
  hash_bytes(hash, samples.clip.data(), samples.clip.size() * sizeof(int32_t));
  return hash;
}

}  // namespace melgrad
