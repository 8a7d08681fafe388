// Mean and variance of a first block's y from the moments of x: sums over patches and pairs of their elements in f64, since
// both come out of them by cancellation. The patch elements lie tap by tap, so each sum runs along contiguous numbers.
// Count: k (k + 3) / 2 multiply-adds a position for k taps, of which a vector of f64 does 8 at once on AVX-512.
#include <algorithm>

#include "kernels/cpu/first_block.h"
#include "kernels/cpu/gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/first_block_moments.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr int64_t columns_a_piece = 512, moment_pieces_a_task = 32;

// sums[k] += Σ of tap k, then for each pair k <= l in order Σ of their products.
void add_moments(int64_t taps, int64_t count, const double* elements, double* sums) {
  const hn::ScalableTag<double> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  double* pairs = sums + taps;
  for (int64_t k = 0; k < taps; ++k) {
    const double* a = elements + k * columns_a_piece;
    auto total = hn::Zero(d);
    int64_t t = 0;
    for (; t + lanes <= count; t += lanes) total = hn::Add(total, hn::Load(d, a + t));
    double sum = hn::GetLane(hn::SumOfLanes(d, total));
    for (; t < count; ++t) sum += a[t];
    sums[k] += sum;
    for (int64_t l = k; l < taps; ++l, ++pairs) {
      const double* b = elements + l * columns_a_piece;
      auto products = hn::Zero(d);
      for (t = 0; t + lanes <= count; t += lanes)
        products = hn::MulAdd(hn::Load(d, a + t), hn::Load(d, b + t), products);
      double product = hn::GetLane(hn::SumOfLanes(d, products));
      for (; t < count; ++t) product += a[t] * b[t];
      *pairs += product;
    }
  }
}

void first_block_moments_here(Stream& stream, const BlockProblem& problem, const float* x, const float* weight,
                              float* mean, float* variance, double* moments) {
  const Conv2dProblem& p = problem.conv;
  const int64_t taps = p.taps(), size = taps + taps * (taps + 1) / 2;
  const int64_t per_row = (p.w_out() + columns_a_piece - 1) / columns_a_piece, pieces = p.n * p.h_out() * per_row;
  const int64_t tasks = (pieces + moment_pieces_a_task - 1) / moment_pieces_a_task;
  const Buffer buffer = stream.workspace(tasks * size * static_cast<int64_t>(sizeof(double)));
  double* sums = static_cast<double*>(buffer.data());
  stream.threads().run(tasks, [&](int64_t task) {
    double* own = sums + task * size;
    std::fill_n(own, size, 0.0);
    auto* elements = reinterpret_cast<double*>(thread_scratch(Scratch::patches, 2 * taps * columns_a_piece));
    for (int64_t piece = task * moment_pieces_a_task; piece < std::min((task + 1) * moment_pieces_a_task, pieces);
         ++piece) {
      const int64_t row = piece / per_row, j = piece % per_row * columns_a_piece;
      const int64_t count = std::min(columns_a_piece, p.w_out() - j);
      gather_taps(p, x + row / p.h_out() * p.h * p.w, row % p.h_out(), j, count, columns_a_piece, elements);
      add_moments(taps, count, elements, own);
    }
  });
  for (int64_t task = 1; task < tasks; ++task)
    for (int64_t i = 0; i < size; ++i) sums[i] += sums[task * size + i];
  const auto positions = static_cast<double>(problem.positions());
  double* covariance = moments + taps;
  for (int64_t k = 0; k < taps; ++k) moments[k] = sums[k] / positions;
  const double* pair = sums + taps;
  for (int64_t k = 0; k < taps; ++k)
    for (int64_t l = k; l < taps; ++l, ++pair)
      covariance[k * taps + l] = covariance[l * taps + k] = *pair / positions - moments[k] * moments[l];
  for (int64_t c = 0; c < p.o; ++c) {
    double average = 0, spread = 0;
    for (int64_t k = 0; k < taps; ++k) {
      average += weight[k * p.o + c] * moments[k];
      for (int64_t l = 0; l < taps; ++l)
        spread += static_cast<double>(weight[k * p.o + c]) * covariance[k * taps + l] * weight[l * p.o + c];
    }
    mean[c] = static_cast<float>(average);
    variance[c] = static_cast<float>(std::max(0.0, spread));
  }
}

}  // namespace
}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {

HWY_EXPORT(first_block_moments_here);

void first_block_moments(Stream& stream, const BlockProblem& problem, const float* x, const float* weight, float* mean,
                         float* variance, double* moments) {
  HWY_DYNAMIC_DISPATCH(first_block_moments_here)(stream, problem, x, weight, mean, variance, moments);
}

}  // namespace melgrad::cpu
#endif
