// Races and unwritten shared memory: what the engine finds when it is told to, and what it leaves in peace.
#include <doctest/doctest.h>

#include <regex>

#include "kernels/memory.h"
#include "kernels/simt/language.h"

namespace melgrad::simt {
namespace {

constexpr int64_t length = 512;

// Memory for any kernel here; every launch has its own.
struct Array {
  Array() { fill(view, 1); }
  Buffer buffer = arena(Device::simt).allocate(length * 4);
  View view{buffer.data(), Shape{length}, DType::f32, Device::simt};
};

// What a launch says under every schedule, in which threads come in a different order.
template <auto kernel>
std::vector<std::string> errors_of(dim3 grid, dim3 block, int64_t shared_bytes = 0) {
  std::vector<std::string> errors;
  for (ScheduleKind kind : {ScheduleKind::forward, ScheduleKind::backward, ScheduleKind::shuffled}) {
    const ScheduleScope scope({kind, 3});
    const Recording recording({.races = true});
    const Array y;
    try {
      launch<kernel>(grid, block, shared_bytes, default_stream(Device::simt), global<float>(y.view));
      errors.emplace_back("no error");
    } catch (const Error& error) {
      errors.emplace_back(error.what());
    }
  }
  return errors;
}

template <auto kernel>
void expect_none(dim3 grid, dim3 block, int64_t shared_bytes = 0) {
  for (const std::string& error : errors_of<kernel>(grid, block, shared_bytes)) CHECK(error == "no error");
}
// `pattern` is a regular expression for the text behind the kernel's name, block, thread and line.
template <auto kernel>
void expect_error(dim3 grid, dim3 block, const std::string& pattern, int64_t shared_bytes = 0) {
  const std::regex expected(R"(simt: \w+(<.*>)?, block \(\d+, 0, 0\), thread \(\d+, 0, 0\), races_test\.cpp:\d+: )" +
                            pattern);
  for (const std::string& error : errors_of<kernel>(grid, block, shared_bytes))
    CHECK_MESSAGE(std::regex_match(error, expected), error);
}

const std::string shared_race =
    R"(race: (reads|writes) an element of a shared array declared at races_test\.cpp:\d+ that thread \(\d+, 0, 0\) (reads|writes) at races_test\.cpp:\d+; no barrier is between)";
const std::string global_race =
    R"(race: (reads|writes) an element of a global array made at races_test\.cpp:\d+:\d+ that thread \(\d+, 0, 0\) of block \(\d+, 0, 0\) (reads|writes) at races_test\.cpp:\d+; nothing orders the blocks of a launch)";
const std::string unwritten =
    R"(reads an element of a shared array declared at races_test\.cpp:\d+ that no thread of the block has written)";

// ---- shared memory, between warps

__device__ inline float warp_sum(float value) {
  for (int distance = 16; distance > 0; distance /= 2) value += __shfl_xor_sync(0xffffffff, value, distance);
  return value;
}

// Left out: the first barrier, or the second.
template <int left_out>
__global__ void block_sum_kernel(Global<float> y) {
  __shared__ SharedArray<float, 32> partial;
  const unsigned t = threadIdx.x;
  const float sum = warp_sum(y[t]);
  if (t < 32) partial[t] = 0.0f;
  __syncthreads();
  if (t % 32 == 0) partial[t / 32] = sum;
  if (left_out != 1) __syncthreads();
  float total = 0;
  for (unsigned warp = 0; warp < blockDim.x / 32; ++warp) total += partial[warp];
  if (left_out != 2) __syncthreads();
  if (t < 32) partial[t] = total + static_cast<float>(t);
  __syncthreads();
  y[t] = partial[t % 32];
}

TEST_CASE("races: a barrier left out between a store and a load, or a load and a store") {
  expect_none<block_sum_kernel<0>>(1, 128);
  expect_error<block_sum_kernel<1>>(1, 128, shared_race);
  expect_error<block_sum_kernel<2>>(1, 128, shared_race);
}

constexpr int store_line = __LINE__ + 4, load_line = __LINE__ + 6;
__global__ void named_kernel(Global<float> y) {
  __shared__ SharedArray<float, 64> tile;
  if (threadIdx.x == 40)
    tile[7] = 1.0f;
  else if (threadIdx.x == 3)
    y[0] = tile[7];
}

TEST_CASE("races: the error names both threads, both lines and the array") {
  const std::vector<std::string> errors = errors_of<named_kernel>(1, 64);
  CHECK(
      errors[1] ==
      fmt::format("simt: named_kernel, block (0, 0, 0), thread (3, 0, 0), races_test.cpp:{}: race: reads an element of "
                  "a shared array declared at races_test.cpp:{} that thread (40, 0, 0) writes at races_test.cpp:{}; "
                  "no barrier is between",
                  load_line, store_line - 2, store_line));
  // In the other order it reads what nobody has written yet.
  CHECK(std::regex_search(errors[0], std::regex(unwritten)));
}

__global__ void same_place_kernel(Global<float> y) {
  __shared__ SharedArray<float, 1> one;
  one[0] = 1.0f;  // the same number from every thread, and still a race
  __syncthreads();
  y[threadIdx.x] = one[0];
}
template <bool writes_all>
__global__ void unwritten_kernel(Global<float> y) {
  __shared__ SharedArray<float, 64> tile;
  if (writes_all || threadIdx.x != 5) tile[threadIdx.x] = 1.0f;
  __syncthreads();
  y[threadIdx.x] = tile[63 - threadIdx.x];
}
template <bool with_barrier>
__global__ void dynamic_kernel(Global<float> y) {
  const Shared<float> row = dynamic_shared<float>();
  row[threadIdx.x] = 1.0f;
  if (with_barrier) __syncthreads();
  y[threadIdx.x] = row[63 - threadIdx.x];
}

TEST_CASE("races: two stores, and what nobody wrote") {
  expect_error<same_place_kernel>(1, 32, shared_race);
  expect_none<unwritten_kernel<true>>(1, 64);
  expect_error<unwritten_kernel<false>>(1, 64, unwritten);
  expect_none<dynamic_kernel<true>>(1, 64, 256);
  expect_error<dynamic_kernel<false>>(1, 64, "(race: )?reads an element of the dynamic shared memory that .*", 256);
}

// A word of two halves, each with a writer of its own; and one that is read as a whole.
template <bool with_barrier>
__global__ void halves_kernel(Global<float> y) {
  __shared__ SharedArray<uint16_t, 64> halves;
  const Shared<uint16_t> row = halves;
  halves[threadIdx.x] = static_cast<uint16_t>(threadIdx.x);
  if (with_barrier) __syncthreads();
  if (threadIdx.x < 8) y[threadIdx.x] = vector_cast<const float4>(row)[threadIdx.x].x;
}

TEST_CASE("races: neighbours within a word are none") {
  expect_none<halves_kernel<true>>(1, 64);
  const std::string either = "(" + shared_race + "|" + unwritten + ")";
  expect_error<halves_kernel<false>>(1, 64, either);
}

// ---- within a warp

enum class Between { nothing, shuffle, whole_warp, half_warp, other_half };

template <Between between>
__global__ void warp_reverse_kernel(Global<float> y) {
  __shared__ SharedArray<float, 128> tile;
  const unsigned t = threadIdx.x, half = t / 16 * 16;
  const uint32_t own_half = t % 32 < 16 ? 0x0000ffff : 0xffff0000;
  tile[t] = y[t];
  if (between == Between::shuffle) y[t] = __shfl_xor_sync(0xffffffff, 1.0f, 1);
  if (between == Between::whole_warp) __syncwarp();
  if (between == Between::half_warp || between == Between::other_half) __syncwarp(own_half);
  // A lane of its own half, or of the other.
  y[t] = tile[between == Between::other_half ? t ^ 16 : half + 15 - t % 16];
}

TEST_CASE("races: what orders lanes is __syncwarp, for the lanes of its mask") {
  const std::string either = "(" + shared_race + "|" + unwritten + ")";
  expect_error<warp_reverse_kernel<Between::nothing>>(1, 128, either);
  expect_error<warp_reverse_kernel<Between::shuffle>>(1, 128, either);
  expect_none<warp_reverse_kernel<Between::whole_warp>>(1, 128);
  expect_none<warp_reverse_kernel<Between::half_warp>>(1, 128);
  expect_error<warp_reverse_kernel<Between::other_half>>(1, 128, either);
}

template <bool with_barrier>
__global__ void overwrite_kernel(Global<float> y) {  // a load, then a store by another lane
  __shared__ SharedArray<float, 32> tile;
  const unsigned t = threadIdx.x;
  tile[t] = 1.0f;
  __syncwarp();
  const float value = tile[(t + 1) % 32];
  if (with_barrier) __syncwarp();
  tile[t] = value + 1;
  y[t] = tile[t];
}

TEST_CASE("races: a lane that overwrites what another reads") {
  expect_none<overwrite_kernel<true>>(1, 32);
  expect_error<overwrite_kernel<false>>(1, 32, shared_race);
}

// ---- global memory

__global__ void own_elements_kernel(Global<float> y) {
  y[blockIdx.x * blockDim.x + threadIdx.x] += 1.0f;
}
__global__ void overlapping_blocks_kernel(Global<float> y) {
  y[blockIdx.x * (blockDim.x - 1) + threadIdx.x] = 1.0f;
}
__global__ void neighbour_block_kernel(Global<float> y) {  // reads what another block writes
  const float value = y[((blockIdx.x + 1) % gridDim.x) * blockDim.x];
  y[blockIdx.x * blockDim.x + threadIdx.x] = value;
}
__global__ void read_by_all_kernel(Global<float> y) {
  y[64 * (blockIdx.x + 1) + threadIdx.x] = y[threadIdx.x % 2];
}
template <bool with_barrier>
__global__ void through_global_kernel(Global<float> y) {
  y[threadIdx.x] = 1.0f;
  if (with_barrier) __syncthreads();
  y[128 + threadIdx.x] = y[63 - threadIdx.x];
}

TEST_CASE("races: global memory, between blocks of a launch and threads of a block") {
  expect_none<own_elements_kernel>(4, 64);
  expect_error<overlapping_blocks_kernel>(4, 64, global_race);
  expect_error<neighbour_block_kernel>(4, 64, global_race);
  expect_none<read_by_all_kernel>(4, 64);
  expect_none<through_global_kernel<true>>(1, 64);
  expect_error<through_global_kernel<false>>(
      1, 64,
      R"(race: .* a global array made at .* that thread \(\d+, 0, 0\) (reads|writes) at .*; no barrier is between)");
}

TEST_CASE("races: one launch may read what the last wrote, and the engine goes on after an error") {
  const Recording recording({.races = true});
  const Array y;
  Stream& stream = default_stream(Device::simt);
  launch<own_elements_kernel>(2, 64, 0, stream, global<float>(y.view));
  launch<own_elements_kernel>(1, 128, 0, stream, global<float>(y.view));
  CHECK_THROWS_AS(launch<overlapping_blocks_kernel>(4, 64, 0, stream, global<float>(y.view)), Error);
  launch<own_elements_kernel>(2, 64, 0, stream, global<float>(y.view));
  CHECK(recording.kernels().size() == 2);
}

}  // namespace
}  // namespace melgrad::simt
