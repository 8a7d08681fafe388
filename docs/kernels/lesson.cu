// What a lesson prints.
#include "docs/kernels/lesson.h"

#include <fmt/format.h>

#if defined(__CUDACC__)
#include "kernels/dispatch.h"
#else
#include "kernels/simt/count_table.h"
#endif

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

void Lesson::heading(const std::string& text) {
  text_ += (text_.empty() ? "" : "\n") + text + "\n";
}

#if defined(__CUDACC__)

// The module's, in which memory is copied too.
cudaStream_t main_stream() {
  static const auto stream = *static_cast<cudaStream_t (*const*)()>(cuda_symbol("melgrad_main_stream"));
  return stream();
}

// The middle one of eleven times, after a first one that is not counted.
void Lesson::measure(const std::function<void(Stream&)>& launch, const Cost& cost) {
  cudaEvent_t begin, end;
  cuda::check(cudaEventCreate(&begin), "cudaEventCreate");
  cuda::check(cudaEventCreate(&end), "cudaEventCreate");
  launch(default_stream(lesson_device));
  std::vector<float> milliseconds(11);
  for (float& time : milliseconds) {
    cuda::check(cudaEventRecord(begin, main_stream()), "cudaEventRecord");
    launch(default_stream(lesson_device));
    cuda::check(cudaEventRecord(end, main_stream()), "cudaEventRecord");
    cuda::check(cudaEventSynchronize(end), "cudaEventSynchronize");
    cuda::check(cudaEventElapsedTime(&time, begin, end), "cudaEventElapsedTime");
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  const double seconds = milliseconds[5] * 1e-3;
  text_ +=
      fmt::format("{:.1f} us, {:.0f} GB/s, {:.0f} GFLOP/s\n", seconds * 1e6,
                  static_cast<double>(cost.bytes) / seconds * 1e-9, static_cast<double>(cost.flops) / seconds * 1e-9);
}

#else

// Exact where lanes part ways.
void Lesson::measure(const std::function<void(Stream&)>& launch, const Cost&) {
  const Recording recording({.counts = true, .branches = true});
  launch(default_stream(lesson_device));
  for (KernelCounts kernel : recording.kernels())
    text_ += to_table(kernel, {.places = false, .code_folder = MELGRAD_SOURCE_DIR});
}

#endif

void Lesson::check(const std::string& name, const Array& result, const Numbers& expected, float bound) {
  const Numbers numbers = result.numbers();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    require(std::abs(numbers[i] - expected[i]) <= bound, "{}: element {} is {}, not {}", name, i, numbers[i],
            expected[i]);
  }
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
