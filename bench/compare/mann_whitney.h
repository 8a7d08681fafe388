// Whether one set of times tends to be larger than another: Mann and Whitney, "On a test of whether one of two random
// variables is stochastically larger than the other", Annals of Mathematical Statistics 18, 1947. It asks for no shape of
// the distribution, which times of a shared machine do not have: a long tail above, nothing below.
#pragma once

#include <cstdint>
#include <span>

namespace melgrad::bench {

// The two-sided p: how probable it is that two samples of one distribution fall as far apart as these, by their ranks.
// Exact where no two values are equal; with ties the normal approximation, corrected for them and for continuity. Both
// samples need a value.
double mann_whitney_p(std::span<const double> a, std::span<const double> b);

// The smallest p that samples of these sizes can give: 2 / C(n + m, n). Where it is above what one asks for, no
// difference can be shown, however large.
double smallest_p(int64_t n, int64_t m);

double median(std::span<const double> values);  // of one value at least

}  // namespace melgrad::bench
