// Counts of kernels that can be counted by hand.
#include "tests/kernels/simt/counting.h"

#include "kernels/matmul.h"
#include "kernels/simt/access_counter.h"
#include "kernels/simt/count_table.h"
#include "kernels/strided_copy.h"

namespace melgrad::simt {
namespace {

// ---- global memory

constexpr int copy_line = __LINE__ + 3;
__global__ void copy_kernel(Global<const float> x, Global<float> y, int64_t n, int64_t offset, int64_t stride) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[offset + i * stride];
}

TEST_CASE("counting: sectors of a load, by offset and stride") {
  struct {
    int64_t offset, stride, sectors, bytes;
  } const cases[] = {{0, 1, 4, 128},  {1, 1, 5, 128},   {0, 2, 8, 128}, {0, 8, 32, 128},
                     {0, 3, 12, 128}, {0, 32, 32, 128}, {0, 0, 1, 4},   {7, 0, 1, 4}};
  const Array x(1024), y(32);
  for (const auto& [offset, stride, sectors, bytes] : cases) {
    CAPTURE(offset);
    CAPTURE(stride);
    const KernelCounts kernel = count<copy_kernel>(counts, 1, 32, 0, global<const float>(x.view), global<float>(y.view),
                                                   int64_t{32}, offset, stride);
    const LineCounts load = kernel.total(Access::global_load), store = kernel.total(Access::global_store);
    CHECK(load.requests == 1);
    CHECK(load.lanes == 32);
    CHECK(load.sectors == sectors);
    CHECK(load.bytes == bytes);
    CHECK(store.requests == 1);
    CHECK(store.sectors == 4);
    CHECK(kernel.total(Access::shared_load).requests == 0);
  }
}

TEST_CASE("counting: a launch, its lines, and the lanes of its last warp") {
  const Array x(100), y(100);
  const KernelCounts kernel = count<copy_kernel>(counts, 2, 64, 0, global<const float>(x.view), global<float>(y.view),
                                                 int64_t{100}, int64_t{0}, int64_t{1});
  CHECK(kernel.name == "copy_kernel");
  CHECK(kernel.launches == 1);
  CHECK(kernel.blocks == 2);
  CHECK(kernel.warps == 4);
  CHECK(kernel.threads_per_block == 64);
  CHECK(kernel.barriers == 0);
  CHECK(kernel.steps == 0);
  REQUIRE(kernel.lines.size() == 2);
  for (const LineCounts& line : kernel.lines) {
    CHECK(line.file.ends_with("tests/kernels/simt/counting_test.cpp"));
    CHECK(line.line == copy_line);
    CHECK(line.requests == 4);  // three whole warps, and four lanes of the last
    CHECK(line.lanes == 100);
    CHECK(line.sectors == 13);
    CHECK(line.bytes == 400);
  }
}

struct Pair {
  float first, second;
};
template <class Element>
__global__ void elements_kernel(Global<const float> x, Global<float> y) {
  const Element element = vector_cast<const Element>(x)[threadIdx.x];
  vector_cast<Element>(y)[threadIdx.x] = element;
}

TEST_CASE("counting: float4 is one request of 16 sectors, and a pair of floats two requests of half-used sectors") {
  const Array x(128), y(128);
  const LineCounts quads =
      count<elements_kernel<float4>>(counts, 1, 32, 0, global<const float>(x.view), global<float>(y.view))
          .total(Access::global_store);
  CHECK(quads.requests == 1);
  CHECK(quads.sectors == 16);
  CHECK(quads.bytes == 512);
  const LineCounts pairs =
      count<elements_kernel<Pair>>(counts, 1, 32, 0, global<const float>(x.view), global<float>(y.view))
          .total(Access::global_load);
  CHECK(pairs.requests == 2);
  CHECK(pairs.lanes == 64);
  CHECK(pairs.sectors == 16);
  CHECK(pairs.bytes == 256);
}

// ---- shared memory

template <class Element>
__global__ void shared_kernel(int stride) {
  const Shared<Element> row = dynamic_shared<Element>();
  row[threadIdx.x * static_cast<unsigned>(stride)] = Element{};
}

struct BankCase {
  int stride;
  int64_t wavefronts, least;
};

template <class Element>
void check_banks(const std::vector<BankCase>& cases) {
  for (const auto& [stride, wavefronts, least] : cases) {
    CAPTURE(sizeof(Element));
    CAPTURE(stride);
    const LineCounts store =
        count<shared_kernel<Element>>(counts, 1, 32, 32 * 1024, stride).total(Access::shared_store);
    CHECK(store.requests == 1);
    CHECK(store.wavefronts == wavefronts);
    CHECK(store.least_wavefronts == least);
    CHECK(store.conflicts() == wavefronts - least);
    CHECK(store.sectors == 0);
  }
}

TEST_CASE("counting: bank conflicts, by stride") {
  check_banks<float>({{0, 1, 1},
                      {1, 1, 1},
                      {2, 2, 1},
                      {3, 1, 1},
                      {4, 4, 1},
                      {8, 8, 1},
                      {16, 16, 1},
                      {32, 32, 1},
                      {33, 1, 1},
                      {48, 16, 1},
                      {64, 32, 1}});
  // 8 bytes go half a warp at a time, 16 a quarter.
  check_banks<float2>({{1, 2, 2}, {2, 4, 2}, {16, 32, 2}, {17, 2, 2}});
  check_banks<float4>({{1, 4, 4}, {2, 8, 4}, {8, 32, 4}, {9, 4, 4}});
  // Two to a word: its lanes are served together.
  check_banks<uint16_t>({{1, 1, 1}, {2, 1, 1}, {4, 2, 1}, {64, 32, 1}});
}

__global__ void tile_kernel(Global<float> y) {
  __shared__ SharedArray<float, 8, 32> tile;
  __shared__ SharedArray<float, 8, 33> padded;
  const unsigned column = threadIdx.x % 32, row = threadIdx.x / 32;
  tile[row][column] = 1.0f;
  padded[row][column] = 1.0f;
  __syncthreads();
  y[threadIdx.x] = tile[column / 4][8 * row % 32] + padded[column / 4][8 * row % 32];
}

TEST_CASE("counting: blocks, barriers and shared memory") {
  const Array y(256);
  const KernelCounts kernel = count<tile_kernel>(counts, 3, 256, 64, global<float>(y.view));
  CHECK(kernel.blocks == 3);
  CHECK(kernel.barriers == 3);
  CHECK(kernel.shared_bytes == 128 + 8 * 32 * 4 + 8 * 33 * 4);  // each begins at a multiple of 128 bytes
  const LineCounts store = kernel.total(Access::shared_store), load = kernel.total(Access::shared_load);
  CHECK(store.requests == 3 * 8 * 2);
  CHECK(store.conflicts() == 0);
  CHECK(load.requests == 3 * 8 * 2);
  CHECK(load.conflicts() == 3 * 8 * 7);  // eight rows of one bank, and none where rows are padded
}

// ---- kernels of the library

// Rows of 64 bytes are two sectors, and a warp fetches two of them (gemm.h).
TEST_CASE("counting: the tiles of a product") {
  const Array a(64 * 32), b(32 * 64), c(64 * 64);
  const View left{a.view.data, Shape{64, 32}, DType::f32, Device::simt};
  const View right{b.view.data, Shape{32, 64}, DType::f32, Device::simt};
  const View product{c.view.data, Shape{64, 64}, DType::f32, Device::simt};
  const Recording recording(counts);
  matmul(stream(), {.m = 64, .n = 64, .k = 32}, left, right, product);
  REQUIRE(recording.kernels().size() == 1);
  const KernelCounts& kernel = recording.kernels()[0];
  CHECK(kernel.blocks == 1);
  CHECK(kernel.barriers == 2);
  CHECK(kernel.shared_bytes == 2 * 16 * (64 + 4) * 4 * 2);
  const LineCounts load = kernel.total(Access::global_load), store = kernel.total(Access::global_store);
  CHECK(load.requests == 2 * 64 * 32 / 32);
  CHECK(load.sectors == 2 * 64 * 32 * 4 / 32);  // each byte once
  CHECK(load.bytes == 2 * 64 * 32 * 4);
  CHECK(store.bytes == 64 * 64 * 4);
  CHECK(kernel.total(Access::shared_load).requests == 2 * 32 * 8);  // a float4 of each operand, a warp and step
}

TEST_CASE("counting: the same for any number of host threads, and added up over launches") {
  const Array x(4096), y(4096);
  std::vector<KernelCounts> results;
  for (int threads : {1, 3}) {
    ThreadPool pool(threads);
    Stream own(Device::simt, &pool);
    const Recording recording(counts);
    for (int i = 0; i < 2; ++i)
      launch<copy_kernel>(64, 64, 0, own, global<const float>(x.view), global<float>(y.view), int64_t{4096}, int64_t{0},
                          int64_t{1});
    launch<uniform_kernel>(1, 32, 0, own, global<const float>(x.view), global<float>(y.view));
    REQUIRE(recording.kernels().size() == 2);
    CHECK(recording.kernels()[1].name == "uniform_kernel");
    results.push_back(recording.kernel("copy_kernel"));
  }
  for (const KernelCounts& kernel : results) {
    CHECK(kernel.launches == 2);
    CHECK(kernel.blocks == 128);
    CHECK(kernel.total(Access::global_load).sectors == 2 * 512);
  }
}

// Rows of 64 floats are 8 sectors, on the way in and on the way out; tiles are 33 floats wide.
TEST_CASE("counting: a transposing copy goes along rows on both sides, without conflicts") {
  const Array x(64 * 64), y(64 * 64);
  const Recording recording(counts);
  strided_copy(stream(), {64, 64}, x.view, {{1, 64}}, y.view, contiguous_walk({64, 64}));
  REQUIRE(recording.kernels().size() == 1);
  const KernelCounts& kernel = recording.kernels()[0];
  CHECK(kernel.total(Access::global_load).sectors == 64 * 8);
  CHECK(kernel.total(Access::global_store).sectors == 64 * 8);
  CHECK(kernel.total(Access::shared_store).wavefronts == 64 * 64 / 32);
  CHECK(kernel.total(Access::shared_load).wavefronts == 64 * 64 / 32);
}

TEST_CASE("counting: nothing outside of a Recording, and what is inside belongs to the innermost") {
  const Array x(128), y(32);
  const auto run = [&] {
    launch<uniform_kernel>(1, 32, 0, stream(), global<const float>(x.view), global<float>(y.view));
  };
  run();
  const Recording outer(counts);
  {
    const Recording inner(counts);
    run();
    CHECK(inner.kernels().size() == 1);
  }
  CHECK(outer.kernels().empty());
  CHECK(outer.kernel("uniform_kernel").launches == 0);
}

// ---- as text

TEST_CASE("counting: the table of a kernel") {
  KernelCounts kernel{.name = "some_kernel", .launches = 1, .blocks = 2, .warps = 4, .barriers = 6};
  kernel.threads_per_block = 64;
  kernel.shared_bytes = 4096;
  LineCounts load{.file = "../../kernels/bf16.h", .line = 1, .access = Access::global_load};
  load.requests = 4;
  load.lanes = 100;
  load.sectors = 13;
  load.bytes = 400;
  LineCounts store{.file = "some.cu", .line = 120, .access = Access::shared_store};
  store.requests = 1024;
  store.lanes = 32 * 1024;
  store.wavefronts = 2048;
  store.least_wavefronts = 1024;
  kernel.lines = {load, store};
  CHECK("\n" + to_table(kernel) == R"(
some_kernel: 2 blocks of 64 threads, 3 barriers and 4096 bytes of shared memory a block
  13 sectors loaded, 0 stored; 2048 wavefronts, 1024 of them bank conflicts
  place        access        requests  lanes  sectors  useful  wavefronts  conflicts
  bf16.h:1     global load          4   25.0       13  96.2 %
  some.cu:120  shared store      1024   32.0                         2048       1024
)");
  kernel.name = "a_kernel<melgrad::simt::{anonymous}::Tile<1, {anonymous}::Left> >";
  CHECK(to_table(kernel).starts_with("a_kernel<Tile<1, Left>>: 2 blocks"));
  kernel.steps = 10;
  kernel.step_lanes = 240;
  kernel.divergent = 3;
  const std::string with_code = to_table(kernel, {.places = false, .code_folder = MELGRAD_SOURCE_DIR});
  CHECK(with_code.find("\n  10 steps of warps, 24.0 of 32 lanes active, 3 times parted\n") != std::string::npos);
  CHECK(with_code.find("96.2 %                         // bf16, the upper half of a float") != std::string::npos);
}

}  // namespace
}  // namespace melgrad::simt
