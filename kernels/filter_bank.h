// A bank of filters over a spectrum, each of which covers a few neighbouring bins: mel filters, for instance.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cost.h"
#include "kernels/lanes.h"

namespace melgrad {

class FilterBank {
 public:
  // `weights` (filters, bins), row-major, of which only each row's part from its first to its last nonzero is kept.
  FilterBank(std::span<const float> weights, int64_t filters, int64_t bins);

  int64_t filters() const { return static_cast<int64_t>(bands_.size()); }
  int64_t bins() const { return bins_; }
  int64_t first_bin(int64_t filter) const { return bands_[static_cast<std::size_t>(filter)].first; }
  // From its first to its last nonzero one.
  std::span<const float> weights(int64_t filter) const {
    const Band& band = bands_[static_cast<std::size_t>(filter)];
    return std::span(weights_).subspan(band.weights, static_cast<std::size_t>(band.count));
  }

  // y[f] = Σ weights[f, k] x[k]. x (bins), y (filters), not overlapping. V is float, or Lanes for four spectra at once.
  template <class V>
  void apply(const V* x, V* y) const;

  Cost cost() const;  // of one spectrum

 private:
  struct Band {
    int64_t first;  // bin
    int64_t count;
    std::size_t weights;
  };
  int64_t bins_;
  std::vector<Band> bands_;
  std::vector<float> weights_;
};

}  // namespace melgrad
