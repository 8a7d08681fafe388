// An array in the simt device's memory, of exactly its size: an access past its end is found. For tests of the
// libraries' stand-ins.
#pragma once

#include <algorithm>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "kernels/memory.h"

namespace melgrad::simt {

template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(const std::vector<T>& values)
      : size_(values.size()), data_(static_cast<T*>(memory_functions(Device::simt).allocate(bytes()))) {
    std::copy(values.begin(), values.end(), data_);
  }
  explicit DeviceArray(std::size_t size, T value = std::numeric_limits<T>::quiet_NaN())
      : DeviceArray(std::vector<T>(size, value)) {}
  DeviceArray(DeviceArray&& other) noexcept : size_(other.size_), data_(std::exchange(other.data_, nullptr)) {}
  ~DeviceArray() {
    if (data_ != nullptr) memory_functions(Device::simt).free(data_, bytes());
  }

  T* data() const { return data_; }
  int64_t bytes() const { return static_cast<int64_t>(size_ * sizeof(T)); }
  std::vector<T> values() const { return {data_, data_ + size_}; }

 private:
  std::size_t size_;
  T* data_;
};

// Numbers of 24 bits in (-1, 1), the same ones for the same seed.
inline std::vector<float> random_floats(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values;
  for (std::size_t i = 0; i < size; ++i) values.push_back(static_cast<float>(random() >> 8) / 8388608.0f - 1.0f);
  return values;
}

// The text of the Error that the call throws.
template <class Call>
std::string error_text(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace melgrad::simt
