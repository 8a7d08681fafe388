#include "kernels/cpu/fft_plan.h"

#include <algorithm>
#include <numeric>

#include "kernels/cpu/fft_radices.h"
#include "kernels/error.h"
#include "kernels/fft.h"

namespace melgrad::cpu {
namespace {

void push_root(std::vector<float>& roots, int64_t k, int64_t n) {
  const Complex<float> root = root_of_unity(k, n);
  roots.push_back(root.re);
  roots.push_back(root.im);
}

// `count` radices of product n and of the least sum, as these are the most alike; empty if there are none.
std::vector<int> balanced_radices(int64_t n, int count) {
  std::vector<int> best;
  int best_sum = 0;
  for (const int radix : compiled_radices) {
    if (n % radix != 0) continue;
    std::vector<int> radices{radix};
    if (count > 1) {
      const std::vector<int> others = balanced_radices(n / radix, count - 1);
      if (others.empty()) continue;
      radices.insert(radices.end(), others.begin(), others.end());
    } else if (radix != n) {
      continue;
    }
    const int sum = std::accumulate(radices.begin(), radices.end(), 0);
    if (best.empty() || sum < best_sum) best = radices, best_sum = sum;
  }
  return best;
}

}  // namespace

std::vector<int> fft_radices(int64_t complex_size) {
  constexpr int most_passes = 6;
  for (int count = 2; count <= most_passes; ++count) {
    std::vector<int> radices = balanced_radices(complex_size, count);
    if (!radices.empty()) return radices;
  }
  return {};
}

FftPlan::FftPlan(int64_t complex_size) : size(complex_size) {
  int64_t done = 1;
  for (const int radix : fft_radices(size)) {
    FftPass pass{radix, done, size / (done * radix), {}};
    for (int64_t j = 0; j < done; ++j)
      for (int64_t q = 0; q < radix; ++q) push_root(pass.twiddles, j * q, done * radix);
    passes.push_back(std::move(pass));
    done *= radix;
  }
  require(!passes.empty(), "fft: no passes for {} complex points", size);
  for (int64_t k = 0; k < size; ++k) push_root(split, 2 * k + size, 4 * size);  // a quarter turn more
}

int64_t FftPlan::buffer_size() const {
  int64_t most = 0;
  for (const FftPass& pass : passes) most = std::max(most, pass.done * pass.radix * row_points(pass.rest));
  return most;
}

}  // namespace melgrad::cpu
