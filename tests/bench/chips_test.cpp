// What is estimated of GPUs, against figures worked out by hand.
#include "bench/simt/chips.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "bench/simt/ptxas_report.h"
#include "tests/temporary_folder.h"

namespace melgrad::bench {
namespace {

const Chip& chip(const std::string& name) {
  for (const Chip& each : chips())
    if (each.name == name) return each;
  throw std::out_of_range(name);
}

void check_occupancy(const std::string& name, int64_t threads, int registers, int64_t shared_bytes, int blocks,
                     double share, const std::string& limit) {
  CAPTURE(name);
  CAPTURE(threads);
  CAPTURE(registers);
  CAPTURE(shared_bytes);
  const Occupancy of = occupancy(chip(name), threads, registers, shared_bytes);
  CHECK(of.blocks == blocks);
  CHECK(of.share == doctest::Approx(share));
  CHECK(of.limit == limit);
}

TEST_CASE("occupancy, by what runs out first") {
  check_occupancy("A100", 256, 32, 0, 8, 1.0, "threads");
  check_occupancy("RTX 4090", 256, 32, 0, 6, 1.0, "threads");
  check_occupancy("A100", 32, 16, 0, 32, 0.5, "blocks");
  // A warp of 80 registers a thread takes 2,560 of the 16,384 of a quarter: six fit, 24 in all.
  check_occupancy("H100", 128, 80, 16896, 6, 24.0 / 64, "registers");
  check_occupancy("H200", 1024, 65, 0, 0, 0.0, "registers");
  // 16,896 bytes and a kilobyte are 17,920; five times that is 89,600 of 102,400.
  check_occupancy("RTX 4090", 128, 80, 16896, 5, 20.0 / 48, "shared memory");
  check_occupancy("A100", 64, 32, 163 * 1024, 1, 2.0 / 64, "shared memory");
  check_occupancy("A100", 64, 32, 163 * 1024 + 1, 0, 0.0, "shared memory");
}

TEST_CASE("the least time is that of the limit that binds") {
  const Chip& a100 = chip("A100");
  CHECK(a100.flops() == doctest::Approx(19.5e12).epsilon(0.01));  // the data sheets' peaks
  CHECK(chip("RTX 4090").flops() == doctest::Approx(82.6e12).epsilon(0.01));
  CHECK(chip("H100").flops() == doctest::Approx(66.9e12).epsilon(0.01));
  const auto check = [&](const Work& work, double seconds, const std::string& limit) {
    const LeastTime least = least_time(a100, work);
    CHECK(least.seconds == doctest::Approx(seconds));
    CHECK(least.limit == limit);
  };
  check({.cost = {1000, 2'039'000}}, 1e-6, "global memory");
  check({.cost = {312'000'000, 8}, .on_tensor_cores = true}, 1e-6, "arithmetic");
  check({.cost = {312'000'000, 8}}, 312e6 / a100.flops(), "arithmetic");
  check({.cost = {1, 1}, .sectors = 4 * 108 * 1410, .wavefronts = 108 * 1410}, 2e-6, "load and store units");
}

TEST_CASE("ptxas's reports by kernel and target") {
  const test::TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() / "below");
  std::ofstream(folder.path() / "below" / "matmul.cu.o.ptxas.json") << R"([
    {"kernel": "_ZN7melgrad4cuda13matmul_kernelINS_4TileEEEvT_", "target": "sm_80", "registers": 62},
    {"kernel": "_ZN7melgrad4cuda48_GLOBAL__N__00000000_9_matmul_cu_00000000_12313matmul_kernelIfEEvT_", "target": "sm_80", "registers": 40},
    {"kernel": "_ZN7melgrad4cuda10sum_kernelEv", "target": "sm_90", "registers": 16}])";
  const PtxasReport report(folder.path());
  CHECK_FALSE(report.empty());
  const Registers* matmul = report.find("matmul_kernel<GemmTile<64, 64>, float>", "sm_80");
  REQUIRE(matmul != nullptr);
  CHECK(matmul->least == 40);
  CHECK(matmul->most == 62);
  CHECK(report.find("matmul_kernel<float>", "sm_90") == nullptr);
  REQUIRE(report.find("sum_kernel", "sm_90") != nullptr);
  CHECK(report.find("sum_kernel", "sm_90")->most == 16);
  CHECK(PtxasReport(folder.path() / "none").empty());
}

}  // namespace
}  // namespace melgrad::bench
