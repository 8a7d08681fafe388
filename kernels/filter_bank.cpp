#include "kernels/filter_bank.h"

#include <algorithm>

#include "kernels/error.h"

namespace melgrad {

FilterBank::FilterBank(std::span<const float> weights, int64_t filters, int64_t bins) : bins_(bins) {
  require(filters >= 0 && bins >= 1 && static_cast<int64_t>(weights.size()) == filters * bins,
          "filter_bank: {} weights for {} filters of {} bins", weights.size(), filters, bins);
  const auto is_nonzero = [](float weight) { return weight != 0; };
  for (int64_t f = 0; f < filters; ++f) {
    const auto row = weights.subspan(static_cast<std::size_t>(f * bins), static_cast<std::size_t>(bins));
    const auto begin = std::find_if(row.begin(), row.end(), is_nonzero);
    auto end = row.end();
    while (end != begin && !is_nonzero(*(end - 1))) --end;
    bands_.push_back({begin == end ? 0 : begin - row.begin(), end - begin, weights_.size()});
    weights_.insert(weights_.end(), begin, end);
  }
}

template <class V>
void FilterBank::apply(const V* x, V* y) const {
  for (const Band& band : bands_) {
    const float* weight = weights_.data() + band.weights;
    const V* bin = x + band.first;
    V sum{};
    for (int64_t k = 0; k < band.count; ++k) sum += weight[k] * bin[k];
    *y++ = sum;
  }
}

template void FilterBank::apply(const float*, float*) const;
template void FilterBank::apply(const Lanes*, Lanes*) const;

Cost FilterBank::cost() const {
  const auto weights = static_cast<int64_t>(weights_.size());
  return {2 * weights, 4 * (bins_ + filters() + weights)};
}

}  // namespace melgrad
