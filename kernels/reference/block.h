// The definition of block.h as loops, from a convolution's output y: shared by the references of the fused blocks.
#pragma once

#include <cmath>

#include "kernels/activation_formulas.h"
#include "kernels/block.h"

namespace melgrad::reference {

// The mean and the biased variance of each channel of y.
template <class T>
void block_statistics(const BlockProblem& problem, const T* y, T* mean, T* variance) {
  const int64_t positions = problem.positions(), channels = problem.conv.o;
  for (int64_t c = 0; c < channels; ++c) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < positions; ++i) sum += static_cast<double>(y[i * channels + c]);
    const double average = sum / static_cast<double>(positions);
    for (int64_t i = 0; i < positions; ++i) squares += std::pow(static_cast<double>(y[i * channels + c]) - average, 2);
    mean[c] = static_cast<T>(average);
    variance[c] = static_cast<T>(squares / static_cast<double>(positions));
  }
}

// Calls body(place in z, place of its winner in y, its tap) for each element of channel c of the pool's output.
template <class T, class Body>
void for_each_winner(const BlockProblem& problem, const T* y, T gamma, int64_t c, const Body& body) {
  const Pool2dProblem p = problem.pool();
  for (int64_t n = 0; n < p.n; ++n)
    for (int64_t i = 0; i < p.h_out(); ++i)
      for (int64_t j = 0; j < p.w_out(); ++j) {
        int64_t winner = 0, place = 0;
        for (int64_t tap = 0; tap < p.rows.size * p.columns.size; ++tap) {
          const int64_t row = p.rows.input(i, tap / p.columns.size), column = p.columns.input(j, tap % p.columns.size);
          const int64_t at = ((n * p.h + row) * p.w + column) * p.c + c;
          if (tap != 0 && !(gamma < 0 ? y[at] < y[winner] : y[at] > y[winner])) continue;
          winner = at;
          place = tap;
        }
        body(((n * p.h_out() + i) * p.w_out() + j) * p.c + c, winner, place);
      }
}

template <class T>
T block_scale(const BlockProblem& problem, T gamma, T variance) {
  return static_cast<T>(static_cast<double>(gamma) / std::sqrt(static_cast<double>(variance) + problem.epsilon));
}

// f and f'(…)·dz by f's value, chosen at run time.
template <class T>
T block_activate(ActivationChoice choice, T x) {
  T z{};
  with_activation(choice.function, [&]<Activation f>() { z = activate<f>(x, static_cast<T>(choice.alpha)); });
  return z;
}
template <class T>
T block_passed(ActivationChoice choice, T z, T dz) {
  T g{};
  with_activation(choice.function,
                  [&]<Activation f>() { g = activation_gradient<f>(z, dz, static_cast<T>(choice.alpha)); });
  return g;
}

template <class T>
void block_normalise(const BlockProblem& problem, const T* y, const T* gamma, const T* beta, const T* mean,
                     const T* variance, T* z) {
  for (int64_t c = 0; c < problem.conv.o; ++c) {
    const T scale = block_scale(problem, gamma[c], variance[c]);
    for_each_winner(problem, y, gamma[c], c, [&](int64_t at, int64_t winner, int64_t) {
      z[at] = block_activate(problem.activation, scale * (y[winner] - mean[c]) + beta[c]);
    });
  }
}

// dy, dgamma and dbeta, through the statistics: with g = f' dz scattered to the winners and x̂ = (y - mean)/σ,
// dy = scale · (g - Σg/N - x̂ · Σ(g x̂)/N).
template <class T>
void block_backward(const BlockProblem& problem, const T* y, const T* gamma, const T* beta, const T* mean,
                    const T* variance, const T* dz, T* dy, T* dgamma, T* dbeta) {
  const int64_t positions = problem.positions(), channels = problem.conv.o;
  for (int64_t c = 0; c < channels; ++c) {
    const T scale = block_scale(problem, gamma[c], variance[c]);
    const double inverse = 1 / std::sqrt(static_cast<double>(variance[c]) + problem.epsilon);
    const auto normal = [&](int64_t at) { return static_cast<double>(y[at] - mean[c]) * inverse; };
    for (int64_t i = 0; i < positions; ++i) dy[i * channels + c] = 0;
    double sum = 0, product = 0;
    for_each_winner(problem, y, gamma[c], c, [&](int64_t at, int64_t winner, int64_t) {
      const T z = block_activate(problem.activation, scale * (y[winner] - mean[c]) + beta[c]);
      const T g = block_passed(problem.activation, z, dz[at]);
      dy[winner] += scale * g;
      sum += static_cast<double>(g);
      product += static_cast<double>(g) * normal(winner);
    });
    const double factor = problem.own_statistics ? static_cast<double>(scale) / static_cast<double>(positions) : 0.0;
    for (int64_t i = 0; i < positions; ++i)
      dy[i * channels + c] -= static_cast<T>(factor * (sum + normal(i * channels + c) * product));
    dgamma[c] = static_cast<T>(product);
    dbeta[c] = static_cast<T>(sum);
  }
}

}  // namespace melgrad::reference
