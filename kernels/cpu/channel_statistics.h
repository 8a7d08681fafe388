// Mean and variance of a channel from sums over pieces, each around a number of its own, merged in order in f64 (Chan,
// Golub and LeVeque 1979): a mean of 1e4 with a deviation of 1 keeps its digits.
#pragma once

#include <algorithm>
#include <cstdint>

namespace melgrad::cpu {

struct ChannelStatistics {
  double mean, variance;
};

// sums: for each piece [shift, Σ (y - shift), Σ (y - shift)²] of `channels` numbers each; positions(piece): how many y.
template <class Positions>
ChannelStatistics merge_statistics(int64_t pieces, const Positions& positions, const float* sums, int64_t channels,
                                   int64_t c) {
  double count = 0, mean = 0, spread = 0;
  for (int64_t piece = 0; piece < pieces; ++piece, sums += 3 * channels) {
    const auto n = static_cast<double>(positions(piece));
    const double sum = sums[channels + c], distance = sums[c] + sum / n - mean, total = count + n;
    spread += std::max(0.0, sums[2 * channels + c] - sum * sum / n) + distance * distance * count * n / total;
    mean += distance * n / total;
    count = total;
  }
  return {mean, spread / count};
}

}  // namespace melgrad::cpu
