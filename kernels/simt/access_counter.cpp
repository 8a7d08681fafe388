#include "kernels/simt/access_counter.h"

#include <algorithm>
#include <array>
#include <bit>

namespace melgrad::simt {
namespace {

constexpr int warp_size = 32;
constexpr uintptr_t sector_bytes = 32, bank_bytes = 4, banks = 32;

// How many different numbers there are; sorts them.
int64_t different(std::span<uintptr_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return std::unique(numbers.begin(), numbers.end()) - numbers.begin();
}

int64_t different_bytes(std::span<const uintptr_t> addresses, int64_t bytes) {
  std::array<uintptr_t, warp_size> copy;
  std::copy(addresses.begin(), addresses.end(), copy.begin());
  return different({copy.data(), addresses.size()}) * bytes;
}

// Passes for the lanes of one group: as many as different words are wanted of the bank that is wanted most.
int64_t passes(std::span<const uintptr_t> addresses, int64_t bytes) {
  std::array<uintptr_t, warp_size> words;  // a group's accesses are 128 bytes together at most
  std::size_t count = 0;
  for (uintptr_t address : addresses)
    for (uintptr_t word = address / bank_bytes; word * bank_bytes < address + static_cast<uintptr_t>(bytes); ++word)
      words[count++] = word;
  const auto unique = static_cast<std::size_t>(different({words.data(), count}));
  std::array<int64_t, banks> wanted{};
  for (std::size_t i = 0; i < unique; ++i) ++wanted[words[i] % banks];
  return *std::max_element(wanted.begin(), wanted.end());
}

}  // namespace

RequestCost global_cost(std::span<const uintptr_t> addresses, int64_t bytes) {
  std::array<uintptr_t, warp_size> sectors;
  std::transform(addresses.begin(), addresses.end(), sectors.begin(), [](uintptr_t a) { return a / sector_bytes; });
  return {.bytes = different_bytes(addresses, bytes), .sectors = different({sectors.data(), addresses.size()})};
}

RequestCost shared_cost(std::span<const uintptr_t> addresses, std::span<const int> lanes, int64_t bytes) {
  RequestCost cost{.bytes = different_bytes(addresses, bytes)};
  // 128 bytes a pass at most: accesses of 8 bytes go half a warp at a time, of 16 a quarter.
  const int group = bytes <= 4 ? warp_size : bytes <= 8 ? warp_size / 2 : warp_size / 4;
  for (std::size_t begin = 0, end; begin < lanes.size(); begin = end) {
    end = begin;
    while (end < lanes.size() && lanes[end] / group == lanes[begin] / group) ++end;
    cost.wavefronts += passes(addresses.subspan(begin, end - begin), bytes);
    ++cost.least_wavefronts;
  }
  return cost;
}

void AccessCounter::replay_block() {
  for (std::size_t first = 0; first < traces_.size(); first += warp_size)
    replay_warp(static_cast<int>(first / warp_size));
}

void AccessCounter::replay_warp(int warp) {
  const auto first = static_cast<std::size_t>(warp * warp_size);
  const std::span<Trace> traces(traces_.data() + first, std::min<std::size_t>(warp_size, traces_.size() - first));
  std::array<std::size_t, warp_size> at{};
  uint32_t previous = 0;
  for (;;) {
    const void* lowest = nullptr;
    for (std::size_t lane = 0; lane < traces.size(); ++lane) {
      if (at[lane] == traces[lane].size()) continue;
      const void* code = traces[lane][at[lane]].code;
      if (lowest == nullptr || code < lowest) lowest = code;
    }
    if (lowest == nullptr) break;
    Request request;
    uint32_t lanes = 0;
    for (std::size_t lane = 0; lane < traces.size(); ++lane) {
      if (at[lane] == traces[lane].size() || traces[lane][at[lane]].code != lowest) continue;
      request.event[request.count] = &traces[lane][at[lane]++];
      request.lane[request.count++] = static_cast<int>(lane);
      lanes |= uint32_t{1} << lane;
    }
    request.event[0]->address == nullptr ? step(lanes, previous) : count(request);
  }
  for (Trace& trace : traces) trace.clear();
}

void AccessCounter::step(uint32_t lanes, uint32_t& previous) {
  ++steps_;
  step_lanes_ += std::popcount(lanes);
  if ((previous & lanes) != 0 && (previous & ~lanes) != 0) ++divergent_;
  previous = lanes;
}

void AccessCounter::count(const Request& request) {
  const Event& first = *request.event[0];
  LineCounts& line = places_[first.code];
  if (line.requests == 0) {
    line.file = first.where.file_name();
    line.line = static_cast<int>(first.where.line());
    line.access = first.access;
  }
  std::array<uintptr_t, warp_size> addresses;
  const auto lanes = static_cast<std::size_t>(request.count);
  for (int offset = 0; offset < first.bytes; offset += first.piece) {
    for (std::size_t i = 0; i < lanes; ++i)
      addresses[i] = reinterpret_cast<uintptr_t>(request.event[i]->address) + static_cast<uintptr_t>(offset);
    const std::span<const uintptr_t> span(addresses.data(), lanes);
    const RequestCost cost = is_global(first.access) ? global_cost(span, first.piece)
                                                     : shared_cost(span, {request.lane, lanes}, first.piece);
    ++line.requests;
    line.lanes += request.count;
    line.bytes += cost.bytes;
    line.sectors += cost.sectors;
    line.wavefronts += cost.wavefronts;
    line.least_wavefronts += cost.least_wavefronts;
  }
}

void AccessCounter::add_to(KernelCounts& counts) const {
  for (const auto& [code, line] : places_) counts.lines.push_back(line);
  counts.steps += steps_;
  counts.step_lanes += step_lanes_;
  counts.divergent += divergent_;
}

}  // namespace melgrad::simt
