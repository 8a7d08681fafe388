// melgrad-bench: every kernel and model against this machine's limits.
//
//   melgrad-bench [FAMILY [REGEX]] [--benchmark_…]   FAMILY as below; REGEX of the rest of a name
//   melgrad-bench compare A.json B.json              what has become slower or faster by more than noise
//   melgrad-bench report RESULTS.json… --out FOLDER  pictures and an HTML page
//   melgrad-bench --device simt …                    what the CUDA kernels do, counted without a GPU (docs/simt.md)
//   melgrad-bench --device cuda [REGEX] …            the kernels on a GPU: times and rates, waits for it included
//   melgrad-bench --frontend-server, --model-server  for the scripts of bench/peers
// MELGRAD_THREADS and MELGRAD_SIMD choose the threads and the instruction set.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/compare/compare.h"
#include "bench/frontend/frontend_server.h"
#include "bench/kernels/operation_bench.h"
#include "bench/models/model_server.h"
#include "bench/report/report.h"
#include "bench/simt/counts.h"
#include "kernels/device.h"
#include "kernels/machine_limits.h"
#include "kernels/simd.h"
#include "kernels/thread_pool.h"

namespace {

using namespace melgrad;

constexpr const char* families[] = {"kernels", "network", "frontend", "models", "data", "end-to-end"};

// Names end in /real_time, which nobody writes: a regex that ends in $ ends before it.
std::string before_real_time(std::string regex) {
  if (regex.ends_with("$") && !regex.ends_with("\\$")) regex.replace(regex.size() - 1, 1, "(/real_time)?$");
  return regex;
}

// Turns FAMILY and REGEX into Google Benchmark's filter; false for a word that is neither.
bool take_family(std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0].starts_with("-")) return true;
  const std::string family = arguments[0];
  if (std::find(std::begin(families), std::end(families), family) == std::end(families)) {
    fmt::print(stderr, "melgrad-bench: no family '{}'; there is {}\n", family, fmt::join(families, ", "));
    return false;
  }
  std::string filter = "--benchmark_filter=^" + family + "/";
  const bool more = arguments.size() > 1 && !arguments[1].starts_with("-");
  if (more) filter += ".*(" + before_real_time(arguments[1]) + ")";
  arguments.erase(arguments.begin(), arguments.begin() + (more ? 2 : 1));
  arguments.insert(arguments.begin(), filter);
  return true;
}

// Throws Error where there is no GPU.
std::string name_of_gpu() {
  const DeviceStatus cuda = devices().back();
  require(cuda.available, "device cuda: {}", cuda.reason);
  return cuda.name;
}

// The machine's limits, in Google Benchmark's JSON and on standard error.
void show_limits() {
  const MachineLimits& limits = machine_limits();
  const auto add = [](const char* key, const std::string& value) { benchmark::AddCustomContext(key, value); };
  add("processor", fmt::format("{}, {} threads", devices().front().name, thread_pool().threads()));
  add("simd", simd_name());
  add("fma_flops_per_second", fmt::format("{:.6g}", limits.flops_per_second));
  add("read_bytes_per_second", fmt::format("{:.6g}", limits.read_bytes_per_second));
  add("write_bytes_per_second", fmt::format("{:.6g}", limits.write_bytes_per_second));
  add("copy_bytes_per_second", fmt::format("{:.6g}", limits.copy_bytes_per_second));
  fmt::print(
      stderr, "{}, {}, {} threads: {:.0f} GFLOP/s of multiply-adds; GB/s: {:.1f} read, {:.1f} written, {:.1f} copied\n",
      devices().front().name, simd_name(), thread_pool().threads(), limits.flops_per_second / 1e9,
      limits.read_bytes_per_second / 1e9, limits.write_bytes_per_second / 1e9, limits.copy_bytes_per_second / 1e9);
  fmt::print(stderr,
             "limit: the least time that this machine's binding limit allows over the time taken (1 is the limit; data "
             "in cache may beat the memory's, Winograd the multiply-adds')\n");
}

int run_benches(const std::string& program, std::vector<std::string> arguments, Device device) {
  if (device == Device::cuda) arguments.insert(arguments.begin(), "kernels");  // the others measure the CPU
  if (!take_family(arguments)) return 2;
  bench::register_operations(device);
  arguments.insert(arguments.begin(), program);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  auto count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 2;
  if (device == Device::cpu) {
    show_limits();
  } else {
    benchmark::AddCustomContext("gpu", name_of_gpu());
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string first = arguments.empty() ? "" : arguments[0];
  try {
    if (first == "compare") return bench::compare_command({arguments.begin() + 1, arguments.end()});
    if (first == "report") return bench::report_command({arguments.begin() + 1, arguments.end()});
    if (first == "--device" && arguments.size() > 1 && arguments[1] == "cuda") {
      name_of_gpu();
      return run_benches(argv[0], {arguments.begin() + 2, arguments.end()}, Device::cuda);
    }
    if (first == "--device") return bench::counts_command({arguments.begin() + 1, arguments.end()});
    if (first == "--frontend-server") return bench::serve_frontend(std::cin, std::cout);
    if (const char* threads = std::getenv("MELGRAD_THREADS")) set_threads(std::atoi(threads));
    if (const char* simd = std::getenv("MELGRAD_SIMD")) use_simd(simd);
    if (first == "--model-server") return bench::serve_models(std::cin, std::cout);
    return run_benches(argv[0], arguments, Device::cpu);
  } catch (const std::exception& error) {
    fmt::print(stderr, "melgrad-bench: {}\n", error.what());
    return 1;
  }
}
