#include "kernels/simt/engine.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "kernels/error.h"
#include "kernels/simt/block_runner.h"
#include "kernels/simt/recorder.h"
#include "kernels/thread_pool.h"

namespace melgrad::simt {

constinit thread_local uint3 threadIdx;
constinit thread_local uint3 blockIdx;
constinit thread_local dim3 blockDim;
constinit thread_local dim3 gridDim;

namespace {

constinit thread_local Schedule schedule_of_this_thread;

void check_limits(const LaunchRequest& request) {
  const dim3 grid = request.grid;
  const dim3 block = request.block;
  const int64_t threads = int64_t{block.x} * block.y * block.z;
  require(threads >= 1 && threads <= max_threads_per_block && block.x <= 1024 && block.y <= 1024 && block.z <= 64,
          "simt: {}: a block of ({}, {}, {}) threads; allowed are 1 to {} in all, at most (1024, 1024, 64)",
          request.kernel, block.x, block.y, block.z, max_threads_per_block);
  require(grid.x >= 1 && grid.y >= 1 && grid.z >= 1 && grid.x <= 0x7fffffff && grid.y <= 65535 && grid.z <= 65535,
          "simt: {}: a grid of ({}, {}, {}) blocks; allowed are 1 to (2147483647, 65535, 65535)", request.kernel,
          grid.x, grid.y, grid.z);
  require(request.shared_bytes >= 0 && request.shared_bytes <= max_shared_bytes,
          "simt: {}: {} bytes of shared memory; a block has at most {}", request.kernel, request.shared_bytes,
          max_shared_bytes);
  require(request.recording == nullptr || request.records,
          "simt: {}: a Recording watches, but this program's kernels do not record: it lacks the CMake property "
          "MELGRAD_SIMT_RECORD",
          request.kernel);
}

}  // namespace

const Schedule& current_schedule() {
  return schedule_of_this_thread;
}

ScheduleScope::ScheduleScope(Schedule schedule) : previous_(std::exchange(schedule_of_this_thread, schedule)) {}

ScheduleScope::~ScheduleScope() {
  schedule_of_this_thread = previous_;
}

void run(const LaunchRequest& request, ThreadPool& pool) {
  check_limits(request);
  const int64_t blocks = int64_t{request.grid.x} * request.grid.y * request.grid.z;
  const bool reverse = request.schedule.kind == ScheduleKind::backward;
  // Blocks share nothing, so how they are dealt out changes no result; a few helpings a thread even out the load.
  const int64_t grain = std::max<int64_t>(1, blocks / (8 * pool.threads()));
  if (request.recording != nullptr) request.recording->add({.name = std::string(request.kernel), .launches = 1});
  const auto run_blocks = [&](int64_t begin, int64_t end) {
    // One a host thread, kept: its fibers' stacks serve every launch.
    static thread_local BlockRunner runner;
    std::optional<Recorder> recorder;
    if (request.recording != nullptr) recorder.emplace(request, runner.shared_memory());
    for (int64_t block = begin; block < end; ++block)
      runner.run(request, reverse ? blocks - 1 - block : block, recorder ? &*recorder : nullptr);
    if (recorder) recorder->finish();
  };
  // Races of blocks are found by one recorder that sees them all.
  const bool in_order = request.recording != nullptr && request.recording->watch().races;
  in_order ? run_blocks(0, blocks) : parallel_for(pool, blocks, grain, run_blocks);
}

void fault(const std::string& what, const std::source_location& where) {
  BlockRunner::current().fault(what, where);
}

int lane() {
  return BlockRunner::current().lane();
}

void barrier(const std::source_location& where) {
  BlockRunner::current().barrier(where);
}

void collective(const char* operation, uint32_t mask, void* data, CompleteFunction complete,
                const std::source_location& where) {
  BlockRunner::current().collective(operation, mask, data, complete, where);
}

// Not inlined, so that the place it returns to is the access itself.
[[gnu::noinline]] void record_access(Access access, const void* element, std::size_t bytes, std::size_t piece,
                                     const std::source_location& where) {
  BlockRunner::current().record({.code = __builtin_return_address(0),
                                 .address = element,
                                 .where = where,
                                 .bytes = static_cast<uint16_t>(bytes),
                                 .piece = static_cast<uint16_t>(piece),
                                 .access = access});
}

std::byte* shared_storage(int64_t bytes, const std::type_info& type, const std::source_location& where) {
  return BlockRunner::current().shared_storage(bytes, type, where);
}

SharedRange dynamic_shared_storage() {
  return BlockRunner::current().dynamic_shared_storage();
}

}  // namespace melgrad::simt

// The compiler calls it at the beginning of every run of code in kernels that are built to record
// (-fsanitize-coverage=trace-pc).
extern "C" void __sanitizer_cov_trace_pc();  // NOLINT: the compiler's name
extern "C" [[gnu::noinline]] void __sanitizer_cov_trace_pc() {
  melgrad::simt::BlockRunner::record_step(__builtin_return_address(0));
}
