// ReadySet: which threads of a block can run, and which of them is next.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <numeric>
#include <vector>

namespace melgrad::simt {

// Threads stand in an order; the first ready one in that order is next. One bit a place.
class ReadySet {
 public:
  // Threads 0 … count - 1, in this order, none ready.
  void reset(int count) {
    order_.resize(static_cast<std::size_t>(count));
    std::iota(order_.begin(), order_.end(), 0);
    bits_.fill(0);
  }

  // The order is changed in place while no thread is ready; finish_order() then takes note of it.
  std::vector<int>& order() { return order_; }
  void finish_order() {
    place_.resize(order_.size());
    for (std::size_t place = 0; place < order_.size(); ++place)
      place_[static_cast<std::size_t>(order_[place])] = static_cast<int>(place);
  }

  void insert(int thread) {
    const int place = place_[static_cast<std::size_t>(thread)];
    bits_[static_cast<std::size_t>(place / 64)] |= uint64_t{1} << (place % 64);
  }
  void erase(int thread) {
    const int place = place_[static_cast<std::size_t>(thread)];
    bits_[static_cast<std::size_t>(place / 64)] &= ~(uint64_t{1} << (place % 64));
  }
  void insert_all() {
    for (std::size_t thread = 0; thread < order_.size(); ++thread) insert(static_cast<int>(thread));
  }
  void clear() { bits_.fill(0); }

  // The next thread, or -1.
  int next() const {
    for (std::size_t word = 0; word * 64 < order_.size(); ++word)
      if (bits_[word] != 0) return order_[word * 64 + static_cast<std::size_t>(std::countr_zero(bits_[word]))];
    return -1;
  }

 private:
  std::vector<int> order_;  // place → thread
  std::vector<int> place_;  // thread → place
  std::array<uint64_t, 16> bits_{};
};

}  // namespace melgrad::simt
