// What the pages of this folder share: arrays on the device, a check against a reference, and what is printed of each
// kernel: its counts on simt, its time on a GPU.
#pragma once

#include <cmath>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/cost.h"
#include "kernels/cuda/portability.h"
#include "kernels/memory.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

inline constexpr Device lesson_device = Device::MELGRAD_DEVICE_NAMESPACE;

using Numbers = std::vector<float>;

struct Array {
  explicit Array(const Shape& shape)
      : buffer(arena(lesson_device).allocate(4 * shape.numel())),
        view{buffer.data(), shape, DType::f32, lesson_device} {}
  Array(const Shape& shape, const Numbers& numbers) : Array(shape) { copy({numbers.data(), shape}, view); }
  Numbers numbers() const {
    Numbers result(static_cast<std::size_t>(view.numel()));
    copy(view, {result.data(), view.shape});
    return result;
  }
  Buffer buffer;
  View view;
};

// Small whole numbers without a pattern: sums of their products are exact, in any order.
inline Numbers some_numbers(int64_t count, uint32_t seed) {
  Numbers numbers(static_cast<std::size_t>(count));
  for (float& number : numbers) {
    seed = seed * 1664525 + 1013904223;
    number = static_cast<float>(seed >> 29) - 3.0f;
  }
  return numbers;
}

class Lesson {
 public:
  // Says what comes next.
  void heading(const std::string& text);
  // Runs what launches kernels, and prints what there is to say of each of them; `cost` is what must be done at least.
  void measure(const std::function<void(Stream&)>& launch, const Cost& cost);
  // Throws Error unless the results are the expected ones.
  void check(const std::string& name, const Array& result, const Numbers& expected, float bound = 0.0f);

  const std::string& printed() const { return text_; }

 private:
  std::string text_;
};

void transpose_lesson(Lesson& lesson);
void reduction_lesson(Lesson& lesson);
void matmul_lesson(Lesson& lesson);
void conv1d_lesson(Lesson& lesson);
void fused_block_lesson(Lesson& lesson);

struct NamedLesson {
  std::string_view name;
  void (*run)(Lesson&);
};
inline constexpr NamedLesson lessons[] = {{"transpose", transpose_lesson},
                                          {"reduction", reduction_lesson},
                                          {"matmul", matmul_lesson},
                                          {"conv1d", conv1d_lesson},
                                          {"fused_block", fused_block_lesson}};

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
