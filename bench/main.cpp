// melgrad-bench: every kernel and model against this machine's limits.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

#include "bench/frontend/frontend_server.h"
#include "bench/machine.h"
#include "kernels/device.h"
#include "kernels/simd.h"
#include "kernels/thread_pool.h"

int main(int argc, char** argv) {
  using namespace melgrad;
  if (argc == 2 && argv[1] == std::string_view("--frontend-server")) return bench::serve_frontend(std::cin, std::cout);
  if (const char* threads = std::getenv("MELGRAD_THREADS")) set_threads(std::atoi(threads));
  if (const char* simd = std::getenv("MELGRAD_SIMD")) use_simd(simd);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const bench::MachineLimits& limits = bench::machine_limits();
  fmt::print(stderr, "{}, {}, {} threads: {:.0f} GFLOP/s of multiply-adds, {:.1f} GB/s copied\n",
             devices().front().name, simd_name(), thread_pool().threads(), limits.flops_per_second / 1e9,
             limits.bytes_per_second / 1e9);
  fmt::print(stderr,
             "limit: the part of the least time that this machine's binding limit allows (1 is the limit; "
             "data in cache may beat the memory's)\n");
  benchmark::RunSpecifiedBenchmarks();
}
