#include "bench/compare/mann_whitney.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/error.h"

namespace melgrad::bench {
namespace {

struct Ranked {
  double u = 0;     // how many pairs have the value of `a` above that of `b`, ties as half
  double ties = 0;  // Σ t³ - t over groups of t equal values
};

Ranked rank(std::span<const double> a, std::span<const double> b) {
  Ranked ranked;
  for (double x : a)
    for (double y : b) ranked.u += x > y ? 1 : x == y ? 0.5 : 0;
  std::vector<double> all(a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  std::sort(all.begin(), all.end());
  for (std::size_t i = 0; i < all.size();) {
    std::size_t end = i;
    while (end < all.size() && all[end] == all[i]) ++end;
    const auto t = static_cast<double>(end - i);
    ranked.ties += t * t * t - t;
    i = end;
  }
  return ranked;
}

// The probability of each u, 0 … n·m, if all orders of n and m values are alike. From f(n, m, u) = f(n - 1, m, u - m) +
// f(n, m - 1, u): the largest value is one of the n, and above all m, or one of the m.
std::vector<double> distribution(std::size_t n, std::size_t m) {
  std::vector<std::vector<double>> row(m + 1);  // of i values of `a`, by j of `b`
  for (std::size_t i = 0; i <= n; ++i) {
    std::vector<std::vector<double>> next(m + 1);
    for (std::size_t j = 0; j <= m; ++j) {
      next[j].assign(i * j + 1, i == 0 || j == 0 ? 1 : 0);
      if (i == 0 || j == 0) continue;
      const double first = static_cast<double>(i) / static_cast<double>(i + j);  // the largest is one of `a`
      for (std::size_t u = 0; u < row[j].size(); ++u) next[j][u + j] += first * row[j][u];
      for (std::size_t u = 0; u < next[j - 1].size(); ++u) next[j][u] += (1 - first) * next[j - 1][u];
    }
    row = std::move(next);
  }
  return row[m];
}

}  // namespace

double mann_whitney_p(std::span<const double> a, std::span<const double> b) {
  require(!a.empty() && !b.empty(), "mann-whitney: a sample without values");
  const double n = static_cast<double>(a.size()), m = static_cast<double>(b.size()), total = n + m;
  const Ranked ranked = rank(a, b);
  const double u = std::max(ranked.u, n * m - ranked.u);
  if (ranked.ties == 0) {
    const std::vector<double> probability = distribution(a.size(), b.size());
    double above = 0;
    for (std::size_t i = static_cast<std::size_t>(u); i < probability.size(); ++i) above += probability[i];
    return std::min(1.0, 2 * above);
  }
  const double variance = n * m / 12 * (total + 1 - ranked.ties / (total * (total - 1)));
  if (variance <= 0) return 1;  // all equal
  const double z = (u - n * m / 2 - 0.5) / std::sqrt(variance);
  return std::min(1.0, std::erfc(z / std::sqrt(2.0)));
}

double smallest_p(int64_t n, int64_t m) {
  double p = 2;
  for (int64_t i = 1; i <= n; ++i) p *= static_cast<double>(i) / static_cast<double>(m + i);
  return std::min(1.0, p);
}

double median(std::span<const double> values) {
  require(!values.empty(), "median: no values");
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

}  // namespace melgrad::bench
