#include "kernels/simt/race_detector.h"

#include <algorithm>
#include <bit>

namespace melgrad::simt {
namespace {

constexpr int warp_size = 32;

int lane_of(int thread) {
  return thread % warp_size;
}
bool same_warp(const RaceDetector::Moment& a, const RaceDetector::Moment& b) {
  return a.block == b.block && a.thread / warp_size == b.thread / warp_size;
}
bool is_store(Access access) {
  return access == Access::global_store || access == Access::shared_store;
}

}  // namespace

RaceDetector::RaceDetector(int threads, const std::byte* shared)
    : threads_(threads), shared_(reinterpret_cast<uintptr_t>(shared)) {}

void RaceDetector::begin_block(int64_t index) {
  block_ = index;
  epoch_ = 0;
  clocks_.assign(static_cast<std::size_t>(threads_), {});
  for (int thread = 0; thread < threads_; ++thread)
    clocks_[static_cast<std::size_t>(thread)][static_cast<std::size_t>(lane_of(thread))] = 1;
  of_shared_.clear();
}

// The lanes know from now on what any of them knew, and begin a time that none of the others knows of.
void RaceDetector::warp_barrier(int warp, uint32_t mask) {
  std::array<uint32_t, warp_size> known{};
  const auto first = static_cast<std::size_t>(warp * warp_size);
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    const auto& clocks = clocks_[first + static_cast<std::size_t>(std::countr_zero(left))];
    for (std::size_t lane = 0; lane < warp_size; ++lane) known[lane] = std::max(known[lane], clocks[lane]);
  }
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    const auto lane = static_cast<std::size_t>(std::countr_zero(left));
    clocks_[first + lane] = known;
    ++clocks_[first + lane][lane];
  }
}

bool RaceDetector::knows(int thread, int lane, uint32_t clock) const {
  return clocks_[static_cast<std::size_t>(thread)][static_cast<std::size_t>(lane)] >= clock;
}

bool RaceDetector::is_ordered(const Moment& earlier, const Moment& now) const {
  if (earlier.block < 0) return true;
  if (earlier.block != now.block) return false;
  if (earlier.epoch != now.epoch || earlier.thread == now.thread) return true;
  return same_warp(earlier, now) && knows(now.thread, lane_of(earlier.thread), earlier.clock);
}

std::optional<RaceDetector::Conflict> RaceDetector::load(Place& place, const Moment& now, bool is_shared) {
  if (is_shared && place.store.block < 0) return Conflict{Problem::unwritten, {}};
  if (!is_ordered(place.store, now)) return Conflict{Problem::read_after_write, place.store};
  const Moment& last = place.load;
  const bool joins = same_warp(last, now) && last.epoch == now.epoch && last.clock == now.clock;
  // Of two earlier readers that of another block is kept: no barrier orders it.
  const bool moves_on = last.block >= 0 && !same_warp(last, now);
  if (moves_on && (last.block != now.block || place.other_load.block < 0 || place.other_load.block == now.block))
    place.other_load = last;
  place.load_lanes = (joins ? place.load_lanes : 0) | uint32_t{1} << lane_of(now.thread);
  place.load = now;
  return std::nullopt;
}

std::optional<RaceDetector::Conflict> RaceDetector::store(Place& place, const Moment& now) {
  if (!is_ordered(place.store, now)) return Conflict{Problem::write_after_write, place.store};
  if (!is_ordered(place.other_load, now)) return Conflict{Problem::write_after_read, place.other_load};
  Moment reader = place.load;
  for (uint32_t left = reader.block < 0 ? 0 : place.load_lanes; left != 0; left &= left - 1) {
    reader.thread = reader.thread / warp_size * warp_size + std::countr_zero(left);
    if (!is_ordered(reader, now)) return Conflict{Problem::write_after_read, reader};
  }
  place = {};
  place.store = now;
  return std::nullopt;
}

RaceDetector::Word& RaceDetector::word_at(uintptr_t address, bool global) {
  if (!global) {
    const auto word = static_cast<std::size_t>((address - shared_) / word_bytes);
    if (word >= of_shared_.size()) of_shared_.resize(word + page_words);
    return of_shared_[word];
  }
  std::unique_ptr<Page>& page = of_global_[address / word_bytes / page_words];
  if (page == nullptr) page = std::make_unique<Page>();
  return (*page)[address / word_bytes % page_words];
}

std::optional<RaceDetector::Conflict> RaceDetector::access(int thread, const Event& event) {
  const uint32_t clock = clocks_[static_cast<std::size_t>(thread)][static_cast<std::size_t>(lane_of(thread))];
  const Moment now{block_, thread, epoch_, clock, event.where};
  const bool global = is_global(event.access), stores = is_store(event.access);
  const auto visit = [&](Place& place) { return stores ? store(place, now) : load(place, now, !global); };

  const auto begin = reinterpret_cast<uintptr_t>(event.address), end = begin + event.bytes;
  for (uintptr_t at = begin / word_bytes * word_bytes; at < end; at += word_bytes) {
    Word& word = word_at(at, global);
    if (word.parts == nullptr) {
      if (begin <= at && at + word_bytes <= end) {
        if (auto conflict = visit(word.whole)) return conflict;
        continue;
      }
      word.parts = std::make_unique<std::array<Place, 4>>();
      word.parts->fill(word.whole);
    }
    for (uintptr_t byte = std::max(at, begin); byte < std::min(at + word_bytes, end); ++byte)
      if (auto conflict = visit((*word.parts)[byte % word_bytes])) return conflict;
  }
  return std::nullopt;
}

}  // namespace melgrad::simt
