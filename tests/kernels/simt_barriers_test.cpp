// The simt engine: barriers and warps, what it runs right and what it refuses.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tests/kernels/simt_launch.h"

namespace melgrad::simt {
namespace {

// ---- barriers

template <bool with_barrier>
__global__ void reverse_kernel(Global<float> out) {
  __shared__ SharedArray<float, 96> tile;
  tile[threadIdx.x] = static_cast<float>(threadIdx.x);
  if (with_barrier) __syncthreads();
  out[threadIdx.x] = tile[95 - threadIdx.x];
}

template <auto kernel>
std::vector<std::vector<float>> under_every_schedule(int n) {
  std::vector<std::vector<float>> results;
  for (Schedule schedule : schedules) {
    const ScheduleScope scope(schedule);
    Array<float> out(n);
    launch<kernel>(1, static_cast<unsigned>(n), 0, stream(), global<float>(out.view));
    results.push_back(out.values());
    for (float& value : results.back()) value = std::isnan(value) ? -2.0f : value;  // comparable
  }
  return results;
}

TEST_CASE("simt: a missing barrier shows, as results that depend on the schedule") {
  const auto right = under_every_schedule<reverse_kernel<true>>(96);
  for (const auto& result : right) {
    CHECK(result == right[0]);
    for (std::size_t i = 0; i < 96; ++i) CHECK(result[i] == static_cast<float>(95 - i));
  }
  const auto wrong = under_every_schedule<reverse_kernel<false>>(96);
  CHECK(wrong[1] != wrong[0]);
  CHECK(wrong[2] != wrong[0]);
  CHECK(wrong[3] != wrong[2]);
}

template <bool with_barrier>
__global__ void neighbours_kernel(Global<float> out) {  // the barrier between a read and the next write
  __shared__ SharedArray<float, 128> tile;
  tile[threadIdx.x] = 1.0f;
  __syncthreads();
  for (int round = 0; round < 4; ++round) {
    const float sum = tile[threadIdx.x] + tile[(threadIdx.x + 1) % 128];
    if (with_barrier) __syncthreads();
    tile[threadIdx.x] = sum;
    __syncthreads();
  }
  out[threadIdx.x] = tile[threadIdx.x];
}

TEST_CASE("simt: a missing barrier before an overwrite shows too") {
  for (const auto& result : under_every_schedule<neighbours_kernel<true>>(128))
    for (float value : result) CHECK(value == 16.0f);
  bool shows = false;
  for (const auto& result : under_every_schedule<neighbours_kernel<false>>(128))
    for (float value : result) shows = shows || value != 16.0f;
  CHECK(shows);
}

constexpr int missed_line = __LINE__ + 3;
__global__ void missed_barrier_kernel() {
  if (threadIdx.x == 40) return;
  __syncthreads();
}
__global__ void two_barriers_kernel() {
  if (threadIdx.x < 32)
    __syncthreads();
  else
    __syncthreads();
}

TEST_CASE("simt: a barrier that not all threads reach") {
  for (Schedule schedule : schedules) {
    const ScheduleScope scope(schedule);
    CHECK(error_of<missed_barrier_kernel>(1, 64, 0) ==
          fmt::format("simt: missed_barrier_kernel, block (0, 0, 0), thread (0, 0, 0), simt_barriers_test.cpp:{}: "
                      "__syncthreads is reached by 63 of the 64 threads of the block: thread (40, 0, 0) has returned",
                      missed_line));
    CHECK(error_of<two_barriers_kernel>(1, 64, 0).find(
              "the threads of the block meet at different barriers: thread (") != std::string::npos);
  }
  CHECK(error_of<missed_barrier_kernel>(1, 40, 0) == "no error");  // and the engine goes on working
}

// ---- warps

__global__ void shuffle_kernel(Global<int32_t> out, int width) {
  const int value = 100 + static_cast<int>(threadIdx.x);
  const unsigned all = 0xffffffff;
  out[threadIdx.x] = __shfl_sync(all, value, 3, width);
  out[64 + threadIdx.x] = __shfl_up_sync(all, value, 2, width);
  out[128 + threadIdx.x] = __shfl_down_sync(all, value, 2, width);
  out[192 + threadIdx.x] = __shfl_xor_sync(all, value, 5, width);
}

TEST_CASE("simt: shuffles") {
  for (Schedule schedule : schedules) {
    const ScheduleScope scope(schedule);
    for (int width : {32, 8}) {
      Array<int32_t> out(256);
      launch<shuffle_kernel>(1, 64, 0, stream(), global<int32_t>(out.view), width);
      const std::vector<int32_t> values = out.values();
      for (int i = 0; i < 64; ++i) {
        const int segment = i / width * width;
        const std::size_t at = static_cast<std::size_t>(i);
        CHECK(values[at] == 100 + segment + 3);
        CHECK(values[64 + at] == 100 + (i - 2 >= segment ? i - 2 : i));
        CHECK(values[128 + at] == 100 + (i + 2 < segment + width ? i + 2 : i));
        CHECK(values[192 + at] == 100 + (i ^ 5));
      }
    }
  }
}

__global__ void xor_across_kernel(Global<int32_t> out) {
  out[threadIdx.x] = __shfl_xor_sync(0xffffffff, static_cast<int>(threadIdx.x), 8, 8);
}

TEST_CASE("simt: an xor shuffle reads earlier segments, not later ones") {
  Array<int32_t> out(32);
  launch<xor_across_kernel>(1, 32, 0, stream(), global<int32_t>(out.view));
  const std::vector<int32_t> values = out.values();
  for (int i = 0; i < 32; ++i) CHECK(values[static_cast<std::size_t>(i)] == ((i ^ 8) < i ? (i ^ 8) : i));
}

__global__ void vote_kernel(Global<int32_t> out) {
  const uint32_t half = threadIdx.x < 16 ? 0x0000ffff : 0xffff0000;
  const int odd = threadIdx.x % 2;
  out[threadIdx.x] = static_cast<int32_t>(__ballot_sync(half, odd));
  out[32 + threadIdx.x] = __any_sync(half, threadIdx.x == 3) * 2 + __all_sync(half, threadIdx.x >= 16);
}

TEST_CASE("simt: votes of half warps") {
  Array<int32_t> out(64);
  launch<vote_kernel>(1, 32, 0, stream(), global<int32_t>(out.view));
  const std::vector<int32_t> values = out.values();
  for (std::size_t i = 0; i < 32; ++i) {
    CHECK(static_cast<uint32_t>(values[i]) == (i < 16 ? 0x0000aaaau : 0xaaaa0000u));
    CHECK(values[32 + i] == (i < 16 ? 2 : 1));
  }
}

constexpr int absent_line = __LINE__ + 3;
__global__ void absent_lane_kernel(Global<float> out) {
  if (threadIdx.x == 9) return;
  out[threadIdx.x] = __shfl_xor_sync(0xffffffff, 1.0f, 1);
}
__global__ void lane_at_barrier_kernel() {
  if (threadIdx.x % 32 == 2)
    __syncthreads();
  else
    __syncwarp();
}
__global__ void wrong_mask_kernel() {
  __syncwarp(0x0000ffff);
}
__global__ void outside_mask_kernel(Global<float> out) {
  if (threadIdx.x < 16) out[threadIdx.x] = __shfl_sync(0x0000ffff, 1.0f, 20);
}
__global__ void two_operations_kernel() {
  if (threadIdx.x % 2 == 0)
    __syncwarp();
  else
    __any_sync(0xffffffff, 1);
}
__global__ void two_masks_kernel() {
  __syncwarp(threadIdx.x == 0 ? 0x3 : 0xffffffff);
}

TEST_CASE("simt: lanes that do not meet") {
  Array<float> out(64);
  for (Schedule schedule : schedules) {
    const ScheduleScope scope(schedule);
    CHECK(error_of<absent_lane_kernel>(1, 64, 0, global<float>(out.view)) ==
          fmt::format(
              "simt: absent_lane_kernel, block (0, 0, 0), thread (0, 0, 0), simt_barriers_test.cpp:{}: __shfl_xor_sync "
              "with mask 0xffffffff: lane 9 is absent: thread (9, 0, 0) has returned",
              absent_line));
    CHECK(error_of<absent_lane_kernel>(1, 8, 0, global<float>(out.view))
              .ends_with("lane 8 is absent: the block has no such thread"));
    CHECK(error_of<lane_at_barrier_kernel>(1, 64, 0).find(
              "lane 2 is absent: thread (2, 0, 0) is in __syncthreads at simt_barriers_test.cpp") != std::string::npos);
    CHECK(error_of<wrong_mask_kernel>(1, 32, 0).find("__syncwarp: lane ") != std::string::npos);
    CHECK(error_of<wrong_mask_kernel>(1, 32, 0).ends_with("is not in its mask 0x0000ffff"));
    CHECK(error_of<outside_mask_kernel>(1, 32, 0, global<float>(out.view))
              .ends_with("__shfl_sync: reads lane 20, which is not in its mask"));
    CHECK(error_of<two_operations_kernel>(1, 32, 0).find("meets another operation: thread (") != std::string::npos);
    CHECK(error_of<two_masks_kernel>(1, 32, 0).find("mask") != std::string::npos);
  }
  CHECK(error_of<absent_lane_kernel>(1, 0, 0, global<float>(out.view)).find("a block of") != std::string::npos);
}

// ---- all together

__global__ void sum_kernel(Global<const float> x, Global<float> sums) {
  __shared__ SharedArray<float, 32> partial;
  float value = x[blockIdx.x * 1024 + threadIdx.x];
  for (int distance = 16; distance > 0; distance /= 2) value += __shfl_down_sync(0xffffffff, value, distance);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
  __syncthreads();
  if (threadIdx.x >= 32) return;
  value = partial[threadIdx.x];
  for (int distance = 16; distance > 0; distance /= 2) value += __shfl_down_sync(0xffffffff, value, distance);
  if (threadIdx.x == 0) sums[blockIdx.x] = value;
}

TEST_CASE("simt: a reduction of full blocks, for any number of host threads") {
  constexpr int blocks = 37;
  std::vector<float> numbers(blocks * 1024);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i % 13);
  Array<float> x(blocks * 1024);
  copy({numbers.data(), x.view.shape}, x.view);
  for (int threads : {1, 3}) {
    ThreadPool pool(threads);
    Stream own(Device::simt, &pool);
    for (Schedule schedule : schedules) {
      const ScheduleScope scope(schedule);
      Array<float> sums(blocks);
      launch<sum_kernel>(blocks, 1024, 0, own, global<const float>(x.view), global<float>(sums.view));
      const std::vector<float> values = sums.values();
      for (std::size_t block = 0; block < blocks; ++block) {
        float expected = 0;
        for (std::size_t i = 0; i < 1024; ++i) expected += numbers[block * 1024 + i];
        CHECK(values[block] == expected);
      }
    }
    // The last block fails: the error comes out, and the pool and its fibers stay usable.
    Array<float> sums(blocks + 1);
    CHECK_THROWS_AS(launch<sum_kernel>(blocks + 1, 1024, 0, own, global<const float>(x.view), global<float>(sums.view)),
                    Error);
  }
}

}  // namespace
}  // namespace melgrad::simt
