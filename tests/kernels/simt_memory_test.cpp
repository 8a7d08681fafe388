// The simt engine: threads, memory and launches, what it runs right and what it refuses.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tests/kernels/simt_launch.h"

namespace melgrad::simt {
namespace {

// ---- threads and blocks

__global__ void number_kernel(Global<int32_t> out) {
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned number = block * blockDim.x * blockDim.y * blockDim.z + thread;
  out[number] += static_cast<int32_t>(number) + 1;  // from -1
}

TEST_CASE("simt: every thread of every block runs once") {
  for (Schedule schedule : schedules) {
    const ScheduleScope scope(schedule);
    Array<int32_t> out(5 * 3 * 2 * 7 * 4 * 3);
    launch<number_kernel>(dim3(5, 3, 2), dim3(7, 4, 3), 0, stream(), global<int32_t>(out.view));
    const std::vector<int32_t> values = out.values();
    for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] == static_cast<int32_t>(i));
  }
}

// ---- bounds

constexpr int read_past_line = __LINE__ + 2;
__global__ void read_past_kernel(Global<const float> x, Global<float> y) {
  if (threadIdx.x == 5) y[0] = x[blockIdx.x + 4];
}
__global__ void write_before_kernel(Global<float> y) {
  (y + threadIdx.x)[-2] = 1.0f;
}
__global__ void vector_kernel(Global<float> y, int offset) {
  vector_cast<float4>(y + offset)[0] = make_float4(1, 2, 3, 4);
}
constexpr int tile_line = __LINE__ + 2;
__global__ void past_row_kernel(Global<float> y) {
  __shared__ SharedArray<float, 4, 8> tile;
  tile[1][threadIdx.x] = 1.0f;
  y[0] = tile[1][0];
}
template <int bytes>
__global__ void dynamic_kernel(Global<float> y) {
  const Shared<float> row = dynamic_shared<float>();
  for (int i = 0; i < bytes / 4; ++i) row[i] = 1.0f;
  y[0] = row[0];
}

TEST_CASE("simt: an access out of bounds names kernel, block, thread, line and array") {
  Array<float> x(6), y(4);
  const int made_at = __LINE__ + 1;
  const auto six = global<const float>(x.view);
  const std::string message = error_of<read_past_kernel>(3, 32, 0, six, global<float>(y.view));
  CHECK(message.starts_with(fmt::format(
      "simt: read_past_kernel, block (2, 0, 0), thread (5, 0, 0), simt_memory_test.cpp:{}: element 6 of a global "
      "array made at simt_memory_test.cpp:{}:",
      read_past_line, made_at)));
  CHECK(message.ends_with(", which has 6"));
  const auto ends = [](const std::string& text, const std::string& end) { return text.ends_with(end); };
  CHECK(error_of<write_before_kernel>(1, 4, 0, global<float>(y.view)).find("element -2 of a global array made at ") !=
        std::string::npos);
  CHECK(error_of<vector_kernel>(1, 1, 0, global<float>(y.view), 0) == "no error");
  CHECK(ends(error_of<vector_kernel>(1, 1, 0, global<float>(y.view), 4), ", which has 1"));
  CHECK(ends(error_of<vector_kernel>(1, 1, 0, global<float>(x.view), 1), " is not aligned to 16 bytes"));
  CHECK(error_of<past_row_kernel>(1, 8, 0, global<float>(y.view)) == "no error");
  const std::string past_row = error_of<past_row_kernel>(1, 9, 0, global<float>(y.view));
  CHECK(past_row.find("thread (8, 0, 0)") != std::string::npos);
  CHECK(ends(past_row,
             fmt::format("element 8 of a shared array declared at simt_memory_test.cpp:{}, which has 8", tile_line)));
  CHECK(error_of<dynamic_kernel<64>>(1, 1, 64, global<float>(y.view)) == "no error");
  CHECK(ends(error_of<dynamic_kernel<68>>(1, 1, 64, global<float>(y.view)),
             "element 16 of the dynamic shared memory, which has 16"));
}

TEST_CASE("simt: fresh memory is NaN, also where an operation had it before") {
  for (int round = 0; round < 2; ++round) {
    const Buffer buffer = arena(Device::simt).allocate(1024);
    std::vector<float> values(256);
    const View view{buffer.data(), Shape{256}, DType::f32, Device::simt};
    copy(view, {values.data(), view.shape});
    for (float value : values) CHECK(std::isnan(value));
    fill(view, 1);
  }
}

TEST_CASE("simt: memory of another device is refused") {
  float host[4];
  CHECK_THROWS_WITH_AS(global<float>({host, Shape{4}}), "simt: a kernel was given memory of cpu", Error);
}

TEST_CASE("simt: a program whose kernels do not record refuses to be watched") {
  const Recording recording({.counts = true});
  Array<float> y(4);
  CHECK(
      error_of<vector_kernel>(1, 1, 0, global<float>(y.view), 0) ==
      "simt: vector_kernel: a Recording watches, but this program's kernels do not record: it lacks the CMake property "
      "MELGRAD_SIMT_RECORD");
}

// ---- launch limits

__global__ void empty_kernel() {}
__global__ void large_kernel() {
  __shared__ SharedArray<float, 12 * 1024 + 1> tile;
  tile[0] = 1.0f;
}
__global__ void full_kernel() {
  __shared__ SharedArray<float, 4 * 1024> tile;
  tile[0] = 1.0f;
}

TEST_CASE("simt: launches past the limits") {
  CHECK(error_of<empty_kernel>(1, 1024, 227 * 1024) == "no error");
  CHECK(error_of<empty_kernel>(1, 1025, 0) ==
        "simt: empty_kernel: a block of (1025, 1, 1) threads; allowed are 1 to 1024 in all, at most (1024, 1024, 64)");
  CHECK(error_of<empty_kernel>(1, dim3(32, 33), 0).find("a block of (32, 33, 1) threads") != std::string::npos);
  CHECK(error_of<empty_kernel>(1, dim3(1, 1, 65), 0).find("a block of (1, 1, 65) threads") != std::string::npos);
  CHECK(error_of<empty_kernel>(1, dim3(65536, 65536), 0).find("a block of") != std::string::npos);
  CHECK(error_of<empty_kernel>(1, 0, 0).find("a block of (0, 1, 1) threads") != std::string::npos);
  CHECK(error_of<empty_kernel>(dim3(1, 65536), 1, 0) ==
        "simt: empty_kernel: a grid of (1, 65536, 1) blocks; allowed are 1 to (2147483647, 65535, 65535)");
  CHECK(error_of<empty_kernel>(0, 1, 0).find("a grid of (0, 1, 1) blocks") != std::string::npos);
  CHECK(error_of<empty_kernel>(1, 1, 227 * 1024 + 1) ==
        "simt: empty_kernel: 232449 bytes of shared memory; a block has at most 232448");
  CHECK(error_of<large_kernel>(1, 1, 0).ends_with(
      "the __shared__ arrays of the kernel take 49156 bytes, more than 49152; use dynamic_shared"));
  CHECK(error_of<full_kernel>(1, 1, 212 * 1024)
            .ends_with("a block takes 233472 bytes of shared memory, more than 232448"));
}

__global__ void unwritten_kernel(Global<float> out) {
  __shared__ SharedArray<float, 8> tile;
  const Shared<float> row = dynamic_shared<float>();
  out[2 * blockIdx.x] = tile[3];
  out[2 * blockIdx.x + 1] = row[1];
  tile[3] = 1.0f;  // the next block must not see it
  row[1] = 1.0f;
}

TEST_CASE("simt: shared memory starts as NaN in every block") {
  Array<float> out(8);
  launch<unwritten_kernel>(4, 1, 64, stream(), global<float>(out.view));
  for (float value : out.values()) CHECK(std::isnan(value));
}

}  // namespace
}  // namespace melgrad::simt
