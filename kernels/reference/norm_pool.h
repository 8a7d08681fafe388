// The definition of norm_pool.h as loops.
#pragma once

#include <cmath>

#include "kernels/norm_pool.h"

namespace melgrad::reference {

template <class T>
void norm_pool_forward(const NormPoolProblem& problem, ConstView y, ConstView gamma, ConstView beta, View z,
                       View pooled, View argmax, View mean, View variance) {
  const Pool2dProblem& p = problem.pool;
  const T* in = y.as<T>();
  const int64_t positions = p.n * p.h * p.w;
  for (int64_t c = 0; c < p.c; ++c) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < positions; ++i) sum += static_cast<double>(in[i * p.c + c]);
    const double average = sum / static_cast<double>(positions);
    for (int64_t i = 0; i < positions; ++i) squares += std::pow(static_cast<double>(in[i * p.c + c]) - average, 2);
    mean.as<T>()[c] = static_cast<T>(average);
    variance.as<T>()[c] = static_cast<T>(squares / static_cast<double>(positions));
    const T scale = gamma.as<T>()[c] / std::sqrt(variance.as<T>()[c] + static_cast<T>(problem.epsilon));
    for (int64_t n = 0; n < p.n; ++n)
      for (int64_t i = 0; i < p.h_out(); ++i)
        for (int64_t j = 0; j < p.w_out(); ++j) {
          const int64_t out = ((n * p.h_out() + i) * p.w_out() + j) * p.c + c;
          T best = 0;
          for (int64_t tap = 0; tap < p.rows.size * p.columns.size; ++tap) {
            const int64_t row = p.rows.input(i, tap / p.columns.size),
                          column = p.columns.input(j, tap % p.columns.size);
            const T value = in[((n * p.h + row) * p.w + column) * p.c + c];
            if (tap != 0 && !(scale < 0 ? value < best : value > best)) continue;
            best = value;
            argmax.as<uint8_t>()[out] = static_cast<uint8_t>(tap);
          }
          pooled.as<T>()[out] = best;
          const T normal = scale * (best - mean.as<T>()[c]) + beta.as<T>()[c];
          z.as<T>()[out] = problem.relu && normal < 0 ? T{0} : normal;
        }
  }
}

// With g = dz where f passes it and x̂ = (y - mean)/σ: dbeta = Σg, dgamma = Σ g·x̂*, and batch norm's own gradient of g
// scattered to the winners.
template <class T>
void norm_pool_backward(const NormPoolProblem& problem, ConstView y, ConstView gamma, ConstView beta, ConstView mean,
                        ConstView variance, ConstView pooled, ConstView argmax, ConstView dz, View dy, View dgamma,
                        View dbeta) {
  const Pool2dProblem& p = problem.pool;
  const int64_t positions = p.n * p.h * p.w, outputs = p.n * p.h_out() * p.w_out();
  for (int64_t c = 0; c < p.c; ++c) {
    const double inverse = 1 / std::sqrt(static_cast<double>(variance.as<T>()[c]) + problem.epsilon);
    const double scale = static_cast<double>(gamma.as<T>()[c]) * inverse,
                 average = static_cast<double>(mean.as<T>()[c]);
    const auto passed = [&](int64_t out) {
      const double normal =
          scale * (static_cast<double>(pooled.as<T>()[out]) - average) + static_cast<double>(beta.as<T>()[c]);
      return problem.relu && !(normal > 0) ? 0.0 : static_cast<double>(dz.as<T>()[out]);
    };
    double sum = 0, product = 0;
    for (int64_t i = 0; i < outputs; ++i) {
      sum += passed(i * p.c + c);
      product += passed(i * p.c + c) * (static_cast<double>(pooled.as<T>()[i * p.c + c]) - average) * inverse;
    }
    for (int64_t i = 0; i < positions; ++i) {
      const double normal = (static_cast<double>(y.as<T>()[i * p.c + c]) - average) * inverse;
      dy.as<T>()[i * p.c + c] = static_cast<T>(-scale / static_cast<double>(positions) * (sum + normal * product));
    }
    for (int64_t i = 0; i < outputs; ++i) {
      const int64_t out = i * p.c + c, tap = argmax.as<uint8_t>()[out];
      const int64_t n = i / (p.h_out() * p.w_out()), at = i % (p.h_out() * p.w_out());
      const int64_t row = p.rows.input(at / p.w_out(), tap / p.columns.size);
      const int64_t column = p.columns.input(at % p.w_out(), tap % p.columns.size);
      dy.as<T>()[((n * p.h + row) * p.w + column) * p.c + c] += static_cast<T>(scale * passed(out));
    }
    dbeta.as<T>()[c] = static_cast<T>(sum);
    dgamma.as<T>()[c] = static_cast<T>(product);
  }
}

}  // namespace melgrad::reference
