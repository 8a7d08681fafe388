#include "apps/samples.h"

#include <cstring>

namespace melgrad {

Batch make_batch(const Samples& samples, std::span<const int64_t> indices, Device device) {
  const std::size_t size = static_cast<std::size_t>(samples.input.numel());
  const auto n = static_cast<int64_t>(indices.size());
  Tensor inputs = Tensor::empty(samples.input.with_batch(n));
  Tensor labels = Tensor::empty({n}, DType::i32);
  auto to = inputs.mutable_data<float>();
  auto label = labels.mutable_data<int32_t>();
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto index = static_cast<std::size_t>(indices[i]);
    std::memcpy(to.data() + i * size, samples.inputs.data() + index * size, size * sizeof(float));
    label[i] = samples.labels[index];
  }
  if (device == Device::cpu) return {inputs, labels};
  return {inputs.to(device), labels.to(device)};
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
  hash_bytes(hash, samples.clip.data(), samples.clip.size() * sizeof(int32_t));
  return hash;
}

}  // namespace melgrad
