// Winograd's minimal filtering F(m, r) (Winograd 1980; Lavin and Gray 2016) as matrices and plain loops:
//
//   y = Aᵀ [(G w) ⊙ (Bᵀ d)]     m outputs of an r-tap filter w from n = m + r - 1 inputs d, by n products instead of r·m
//
// Summed over channels between G and Aᵀ, the products of all tiles become one matrix product for each of the n
// points. The points are 0, ±1, ±2 and infinity for n = 6, F(4, 3) and F(5, 2), and ±1/2 as well for n = 8, F(6, 3) and
// F(7, 2): Bᵀ is the points' alone, Aᵀ has their powers below m, G those below r times a factor of each. Both gradients are the same
// bilinear form, transposed: dd = B [(G w) ⊙ (A dy)] and dw = Gᵀ [(Bᵀ d) ⊙ (A dy)].
//
// The matrices are exact; f32 rounds. Aᵀ and Bᵀ have rows whose sums of absolute values exceed 1, which is what the error
// grows by: evaluated with absolute values of everything (`absolute`), the form bounds it to first order.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/conv2d.h"
#include "kernels/reference/indexing.h"

namespace melgrad::reference {

template <int m>
struct WinogradMatrices;

template <>
struct WinogradMatrices<4> {
  static constexpr int points = 6, taps = 3;
  static constexpr double bt[6][6] = {{4, 0, -5, 0, 1, 0},  {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
                                      {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
  static constexpr double g[6][3] = {{1. / 4, 0, 0},
                                     {-1. / 6, -1. / 6, -1. / 6},
                                     {-1. / 6, 1. / 6, -1. / 6},
                                     {1. / 24, 1. / 12, 1. / 6},
                                     {1. / 24, -1. / 12, 1. / 6},
                                     {0, 0, 1}};
  static constexpr double at[4][6] = {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}};
};

template <>
struct WinogradMatrices<6> {
  static constexpr int points = 8, taps = 3;
  static constexpr double bt[8][8] = {
      {1, 0, -21. / 4, 0, 21. / 4, 0, -1, 0},   {0, 1, 1, -17. / 4, -17. / 4, 1, 1, 0},
      {0, -1, 1, 17. / 4, -17. / 4, -1, 1, 0},  {0, 1. / 2, 1. / 4, -5. / 2, -5. / 4, 2, 1, 0},
      {0, -1. / 2, 1. / 4, 5. / 2, -5. / 4, -2, 1, 0}, {0, 2, 4, -5. / 2, -5, 1. / 2, 1, 0},
      {0, -2, 4, 5. / 2, -5, -1. / 2, 1, 0},    {0, -1, 0, 21. / 4, 0, -21. / 4, 0, 1}};
  static constexpr double g[8][3] = {{1, 0, 0},
                                     {-2. / 9, -2. / 9, -2. / 9},
                                     {-2. / 9, 2. / 9, -2. / 9},
                                     {1. / 90, 1. / 45, 2. / 45},
                                     {1. / 90, -1. / 45, 2. / 45},
                                     {32. / 45, 16. / 45, 8. / 45},
                                     {32. / 45, -16. / 45, 8. / 45},
                                     {0, 0, 1}};
  static constexpr double at[6][8] = {{1, 1, 1, 1, 1, 1, 1, 0},
                                      {0, 1, -1, 2, -2, 1. / 2, -1. / 2, 0},
                                      {0, 1, 1, 4, 4, 1. / 4, 1. / 4, 0},
                                      {0, 1, -1, 8, -8, 1. / 8, -1. / 8, 0},
                                      {0, 1, 1, 16, 16, 1. / 16, 1. / 16, 0},
                                      {0, 1, -1, 32, -32, 1. / 32, -1. / 32, 1}};
};

template <>
struct WinogradMatrices<5> {
  static constexpr int points = 6, taps = 2;
  static constexpr const auto& bt = WinogradMatrices<4>::bt;
  static constexpr double g[6][2] = {{1. / 4, 0}, {-1. / 6, -1. / 6}, {-1. / 6, 1. / 6}, {1. / 24, 1. / 12},
                                     {1. / 24, -1. / 12}, {0, 1}};
  static constexpr double at[5][6] = {
      {1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 0}, {0, 1, 1, 16, 16, 1}};
};

template <>
struct WinogradMatrices<7> {
  static constexpr int points = 8, taps = 2;
  static constexpr const auto& bt = WinogradMatrices<6>::bt;
  static constexpr double g[8][2] = {{1, 0},           {-2. / 9, -2. / 9},   {-2. / 9, 2. / 9},    {1. / 90, 1. / 45},
                                     {1. / 90, -1. / 45}, {32. / 45, 16. / 45}, {32. / 45, -16. / 45}, {0, 1}};
  static constexpr double at[7][8] = {{1, 1, 1, 1, 1, 1, 1, 0},
                                      {0, 1, -1, 2, -2, 1. / 2, -1. / 2, 0},
                                      {0, 1, 1, 4, 4, 1. / 4, 1. / 4, 0},
                                      {0, 1, -1, 8, -8, 1. / 8, -1. / 8, 0},
                                      {0, 1, 1, 16, 16, 1. / 16, 1. / 16, 0},
                                      {0, 1, -1, 32, -32, 1. / 32, -1. / 32, 0},
                                      {0, 1, 1, 64, 64, 1. / 64, 1. / 64, 1}};
};

// What turns the exact form into its error bound.
inline double magnitude_if(bool absolute, double value) {
  return absolute ? std::abs(value) : value;
}

// Calls body(sample, i, tile, tap, c, o, form) for every bilinear form of a problem whose columns are as wide as its taps, stride and
// dilation 1: along output row i, outputs tile·m … of channel o, the row of x that tap `tap` reads, channel c.
template <int m, class Body>
void for_each_winograd_tile(const Conv2dProblem& p, const Body& body) {
  const int64_t tiles = (p.w_out() + m - 1) / m;
  for (int64_t sample = 0; sample < p.n; ++sample)
    for (int64_t i = 0; i < p.h_out(); ++i)
      for (int64_t tap = 0; tap < p.rows.size; ++tap) {
        const int64_t row = p.rows.input(i, tap);
        if (row < 0 || row >= p.h) continue;
        for (int64_t tile = 0; tile < tiles; ++tile)
          for (int64_t c = 0; c < p.c; ++c)
            for (int64_t o = 0; o < p.o; ++o) body(sample, i, row, tap, tile * m, c, o);
      }
}

enum class WinogradDirection : uint8_t { forward, data, weight };

// One direction of a convolution by F(m, 3) or F(m, 2) along the columns. `first` and `second` are the inputs in the order of
// conv2d_forward, conv2d_backward_data and conv2d_backward_weight. With `absolute`, its error bound over epsilon times a
// small factor.
template <int m>
void winograd_conv2d(const Conv2dProblem& p, WinogradDirection direction, ConstView first, ConstView second, View out,
                     bool absolute) {
  using M = WinogradMatrices<m>;
  const double *a = first.as<double>(), *b = second.as<double>();
  double* result = out.as<double>();
  std::fill_n(result, out.numel(), 0.0);
  const auto abs_if = [&](double value) { return magnitude_if(absolute, value); };
  const auto x_at = [&](int64_t sample, int64_t row, int64_t column, int64_t c) {
    return ((sample * p.h + row) * p.w + column) * p.c + c;
  };
  const auto y_at = [&](int64_t sample, int64_t i, int64_t j, int64_t o) {
    return ((sample * p.h_out() + i) * p.w_out() + j) * p.o + o;
  };
  const auto w_at = [&](int64_t tap, int64_t k, int64_t c, int64_t o) { return ((tap * M::taps + k) * p.c + c) * p.o + o; };

  for_each_winograd_tile<m>(p, [&](int64_t sample, int64_t i, int64_t row, int64_t tap, int64_t j, int64_t c, int64_t o) {
    for (int point = 0; point < M::points; ++point) {
      double u = 0, v = 0, g = 0;  // (G w), (Bᵀ d), (A dy) at this point
      for (int k = 0; k < M::taps; ++k)
        if (direction != WinogradDirection::weight) u += abs_if(M::g[point][k] * b[w_at(tap, k, c, o)]);
      for (int k = 0; k < M::points; ++k) {
        const int64_t column = j - p.columns.pad_before + k;
        if (direction == WinogradDirection::data || column < 0 || column >= p.w) continue;
        const double* x = direction == WinogradDirection::forward ? a : b;
        v += abs_if(M::bt[point][k] * x[x_at(sample, row, column, c)]);
      }
      for (int k = 0; k < m && direction != WinogradDirection::forward; ++k)
        if (j + k < p.w_out()) g += abs_if(M::at[k][point] * a[y_at(sample, i, j + k, o)]);

      if (direction == WinogradDirection::forward)
        for (int k = 0; k < m; ++k)
          if (j + k < p.w_out()) result[y_at(sample, i, j + k, o)] += abs_if(M::at[k][point]) * u * v;
      if (direction == WinogradDirection::data)
        for (int k = 0; k < M::points; ++k) {
          const int64_t column = j - p.columns.pad_before + k;
          if (column >= 0 && column < p.w) result[x_at(sample, row, column, c)] += abs_if(M::bt[point][k]) * u * g;
        }
      if (direction == WinogradDirection::weight)
        for (int k = 0; k < M::taps; ++k) result[w_at(tap, k, c, o)] += abs_if(M::g[point][k]) * v * g;
    }
  });
}

}  // namespace melgrad::reference
