// Adding up many numbers: the reference, four kernels, their check. docs/kernels/reduction.md tells what they show.
#include "docs/kernels/lesson.h"
#include "kernels/cuda/columns.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int threads = 256;  // each brings one number; a block's sum is one number of the next launch

Numbers sum_reference(const Numbers& x) {
  double sum = 0;
  for (float number : x) sum += number;
  return {static_cast<float>(sum)};
}

// Threads whose number is a multiple of 2, 4, 8, … add their neighbour's.
__global__ void __launch_bounds__(threads) sum_multiples_kernel(Global<const float> x, Global<float> sums, int64_t n) {
  __shared__ SharedArray<float, threads> partial;
  const int64_t i = int64_t{blockIdx.x} * threads + threadIdx.x;
  partial[threadIdx.x] = i < n ? float(x[i]) : 0.0f;
  __syncthreads();
  for (unsigned distance = 1; distance < threads; distance *= 2) {
    if (threadIdx.x % (2 * distance) == 0) partial[threadIdx.x] += partial[threadIdx.x + distance];
    __syncthreads();
  }
  if (threadIdx.x == 0) sums[blockIdx.x] = partial[0];
}

// The same additions, by the first half, quarter, … of the threads.
__global__ void __launch_bounds__(threads) sum_strided_kernel(Global<const float> x, Global<float> sums, int64_t n) {
  __shared__ SharedArray<float, threads> partial;
  const int64_t i = int64_t{blockIdx.x} * threads + threadIdx.x;
  partial[threadIdx.x] = i < n ? float(x[i]) : 0.0f;
  __syncthreads();
  for (unsigned distance = 1; distance < threads; distance *= 2) {
    const unsigned place = 2 * distance * threadIdx.x;
    if (place < threads) partial[place] += partial[place + distance];
    __syncthreads();
  }
  if (threadIdx.x == 0) sums[blockIdx.x] = partial[0];
}

// Other additions: a half is added to the other.
__global__ void __launch_bounds__(threads) sum_halves_kernel(Global<const float> x, Global<float> sums, int64_t n) {
  __shared__ SharedArray<float, threads> partial;
  const int64_t i = int64_t{blockIdx.x} * threads + threadIdx.x;
  partial[threadIdx.x] = i < n ? float(x[i]) : 0.0f;
  __syncthreads();
  for (unsigned half = threads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) partial[threadIdx.x] += partial[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) sums[blockIdx.x] = partial[0];
}

// Within a warp through registers; one number a warp through shared memory.
__global__ void __launch_bounds__(threads) sum_warps_kernel(Global<const float> x, Global<float> sums, int64_t n) {
  constexpr unsigned warps = threads / 32;
  __shared__ SharedArray<float, warps> partial;
  const int64_t i = int64_t{blockIdx.x} * threads + threadIdx.x;
  const float sum = warp_reduce(i < n ? float(x[i]) : 0.0f, Sum());
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x >= 32) return;
  const float total = warp_reduce(threadIdx.x < warps ? float(partial[threadIdx.x]) : 0.0f, Sum());
  if (threadIdx.x == 0) sums[blockIdx.x] = total;
}

constexpr int64_t count = 4 * threads;

template <auto kernel>
void show(Lesson& lesson, const std::string& name) {
  const Numbers numbers = some_numbers(count, 2);
  const Array x({count}, numbers), sums({count / threads}), sum({1});
  lesson.heading(name);
  lesson.measure(
      [&](Stream& stream) {
        launch<kernel>(blocks_for(count, threads), threads, 0, stream, global<const float>(x.view),
                       global<float>(sums.view), count);
      },
      {count, 4 * count});
  launch<kernel>(1, threads, 0, default_stream(lesson_device), global<const float>(sums.view), global<float>(sum.view),
                 count / threads);
  lesson.check(name, sum, sum_reference(numbers));
}

// The project's: sums down the columns of a matrix.
void show_columns(Lesson& lesson, int64_t rows, int64_t channels) {
  const Numbers numbers = some_numbers(rows * channels, 3);
  Numbers expected(static_cast<std::size_t>(channels));
  for (std::size_t i = 0; i < numbers.size(); ++i) expected[i % static_cast<std::size_t>(channels)] += numbers[i];
  const Array x({rows, channels}, numbers), y({channels});
  const std::string name = fmt::format("sums of {} columns of {}", channels, rows);
  lesson.heading(name);
  lesson.measure(
      [&](Stream& stream) { sum_rows(stream, global<const float>(x.view), rows, channels, global<float>(y.view)); },
      {rows * channels, 4 * (rows + 1) * channels});
  lesson.check(name, y, expected);
}

}  // namespace

void reduction_lesson(Lesson& lesson) {
  show<sum_multiples_kernel>(lesson, "every second, fourth, eighth … thread");
  show<sum_strided_kernel>(lesson, "the same additions by neighbouring threads");
  show<sum_halves_kernel>(lesson, "halves");
  show<sum_warps_kernel>(lesson, "warps");
  show_columns(lesson, 512, 16);
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
