#include "bench/simt/chips.h"

#include <algorithm>
#include <initializer_list>

namespace melgrad::bench {
namespace {

constexpr int64_t registers_of_sm = 65536;
constexpr int64_t kilobyte = 1024;

constexpr Chip all_chips[] = {
    {"A100", "sm_80", 108, 64, 32, 164 * kilobyte, 163 * kilobyte, 64, 1.41e9, 2039e9, 312e12},
    {"RTX 4090", "sm_89", 128, 48, 24, 100 * kilobyte, 99 * kilobyte, 128, 2.52e9, 1008e9, 165.2e12},
    {"H100", "sm_90", 132, 64, 32, 228 * kilobyte, 227 * kilobyte, 128, 1.98e9, 3350e9, 989e12},
    {"H200", "sm_90", 132, 64, 32, 228 * kilobyte, 227 * kilobyte, 128, 1.98e9, 4800e9, 989e12},
};

int64_t round_up(int64_t number, int64_t step) {
  return (number + step - 1) / step * step;
}

// Registers go to a warp by 256, out of the quarter of the file that belongs to its scheduler.
int64_t blocks_by_registers(int64_t warps, int registers) {
  const int64_t of_warp = round_up(int64_t{registers} * 32, 256);
  if (of_warp * round_up(warps, 4) > registers_of_sm) return 0;
  return registers_of_sm / 4 / of_warp * 4 / warps;
}

}  // namespace

std::span<const Chip> chips() {
  return all_chips;
}

Occupancy occupancy(const Chip& chip, int64_t threads_per_block, int registers, int64_t shared_bytes) {
  const int64_t warps = round_up(threads_per_block, 32) / 32;
  // Shared memory goes to a block by 128 bytes, a kilobyte of it to the system.
  const int64_t by_shared =
      shared_bytes > chip.shared_a_block ? 0 : chip.shared_bytes / round_up(shared_bytes + kilobyte, 128);
  const std::pair<int64_t, const char*> limits[] = {{chip.warps / warps, "threads"},
                                                    {blocks_by_registers(warps, std::max(registers, 1)), "registers"},
                                                    {by_shared, "shared memory"},
                                                    {chip.blocks, "blocks"}};
  const auto least = *std::min_element(std::begin(limits), std::end(limits),
                                       [](const auto& a, const auto& b) { return a.first < b.first; });
  return {static_cast<int>(least.first), static_cast<double>(least.first * warps) / chip.warps, least.second};
}

LeastTime least_time(const Chip& chip, const Work& work) {
  const double cycles = static_cast<double>(work.sectors) / 4 + static_cast<double>(work.wavefronts);
  const double peak = work.on_tensor_cores ? chip.tensor_flops : chip.flops();
  return std::max({LeastTime{static_cast<double>(work.cost.bytes) / chip.bytes_per_second, "global memory"},
                   LeastTime{static_cast<double>(work.cost.flops) / peak, "arithmetic"},
                   LeastTime{cycles / chip.sms / chip.clock, "load and store units"}},
                  [](const LeastTime& a, const LeastTime& b) { return a.seconds < b.seconds; });
}

}  // namespace melgrad::bench
