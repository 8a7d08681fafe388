// What follows the bands of a signal: a limit below its largest, and frames scaled to 0 … 1.
#pragma once

#include "kernels/cost.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

// y (signals, …) in place, `largest` (signals) being each one's largest: y ← max(largest - reference - range, y - reference)
// with reference = largest if `relative`, else 0. librosa's power_to_db with ref = max and top_db = range, which may be
// infinite.
void limit_bands(Stream& stream, bool relative, double range, ConstView largest, View y);

// Each row of x (rows, columns) from its smallest to its largest value: y = (x - smallest) / (largest - smallest), or 0
// where the row is constant. y may be x.
void scale_rows(Stream& stream, ConstView x, View y);

constexpr Cost limit_bands_cost(int64_t n, int64_t element_size) {
  return {2 * n, 2 * n * element_size};
}
constexpr Cost scale_rows_cost(int64_t n, int64_t element_size) {
  return {4 * n, 2 * n * element_size};
}

struct BandScalingFunctions {
  decltype(&limit_bands) limit;
  decltype(&scale_rows) rows;
};

}  // namespace melgrad
