// Direct convolutions forward: blocks of rows, each correlated, then activated and pooled while it is in the L2 cache. See
// direct_conv.h.
#include <vector>

#include "kernels/cpu/direct_conv.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/direct_forward.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/direct_pool-inl.h"

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {
namespace {

void forward_here(Stream& stream, const ConvPoolProblem& problem, const float* x, const float* weight,
                  const float* bias, float* z, int32_t* argmax) {
  const Conv2dProblem& p = problem.conv;
  const Pool2dProblem pool = problem.pool();
  const bool pools = problem.pools(), relu = problem.activation.function == Activation::relu;
  const Correlation correlation(p.rows.size, p.columns.size, p.c, p.o, p.w_out());
  const Buffer buffer = stream.workspace(correlation.weight_floats() * static_cast<int64_t>(sizeof(float)));
  const float* weights = correlation.pack(weight, false, static_cast<float*>(buffer.data()));
  std::vector<float> start(static_cast<std::size_t>(whole_vectors(p.o)));
  if (bias != nullptr) std::copy_n(bias, p.o, start.data());
  const BlockActivation f(problem.activation);

  const int64_t block = direct_rows_per_block(p, pool.h_out(), pool.rows.stride);
  const int64_t blocks = (pool.h_out() + block - 1) / block;
  stream.threads().run(p.n * blocks, [&](int64_t task) {
    const int64_t sample = task / blocks, begin = task % blocks * block, end = std::min(begin + block, pool.h_out());
    // Rows of y that these windows read.
    const int64_t first = std::max<int64_t>(0, pool.rows.input(begin, 0));
    const int64_t count = std::min(pool.h, pool.rows.input(end - 1, pool.rows.size - 1) + 1) - first;
    const Rows rows =
        image_rows(x + sample * p.h * p.w * p.c, p.h, p.w, p.c, first - p.rows.pad_before, count + p.rows.size - 1,
                   p.columns.pad_before, p.columns.pad_after, Scratch::patches, correlation.wants_slack());
    const int64_t at = (sample * pool.h_out() + begin) * pool.w_out() * pool.c;
    float* y = pools ? thread_scratch(Scratch::results, count * pool.w * pool.c + slack(1)) : z + at;
    correlation.run(weights, start.data(), relu && !pools ? 0.0f : no_floor, rows, count, y);
    if (pools && argmax != nullptr) pool_rows<true>(pool, y, first, begin, end, z + at, argmax + at);
    if (pools && argmax == nullptr) pool_rows<false>(pool, y, first, begin, end, z + at, nullptr);
    if (problem.activation.function == Activation::linear || (relu && !pools)) return;
    map_vectors((end - begin) * pool.w_out() * pool.c, z + at, [&](MapVector value) { return f(value); }, z + at);
  });
}

}  // namespace
}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {

HWY_EXPORT(forward_here);

bool direct_applies(const Conv2dProblem& p) {
  return p.groups == 1 && p.rows.stride == 1 && p.columns.stride == 1 && p.rows.dilation == 1 &&
         p.columns.dilation == 1;
}

bool direct_suits(const Conv2dProblem& p) {
  return direct_applies(p) && p.taps() * std::max(p.c, p.o) <= 2048 && p.taps() * p.c * p.o <= 1 << 18;
}

ConvPoolProblem as_one_column(ConvPoolProblem problem) {
  Conv2dProblem& p = problem.conv;
  if (p.h != 1 || p.rows != Window{} || problem.pool_rows != Window{}) return problem;
  std::swap(p.h, p.w);
  std::swap(p.rows, p.columns);
  std::swap(problem.pool_rows, problem.pool_columns);
  return problem;
}

int64_t direct_rows_per_block(const Conv2dProblem& p, int64_t rows, int64_t step) {
  constexpr int64_t floats =
      1 << 15;  // 128 KB of y, and about as much of x; from a third to as much again makes no odds
  constexpr int64_t least_tasks = 8;
  const int64_t row = step * std::max(p.w_out() * p.o, p.w * p.c);
  const int64_t cached = std::max<int64_t>(1, floats / std::max<int64_t>(1, row));
  return std::clamp<int64_t>(rows * p.n / least_tasks, 1, cached);
}

void direct_forward(Stream& stream, const ConvPoolProblem& problem, const float* x, const float* weight,
                    const float* bias, float* z, int32_t* argmax) {
  HWY_DYNAMIC_DISPATCH(forward_here)(stream, as_one_column(problem), x, weight, bias, z, argmax);
}

}  // namespace melgrad::cpu
#endif
