// Two results of one bench: what has become slower or faster by more than noise.
#pragma once

#include <string>
#include <vector>

#include "bench/compare/results.h"

namespace melgrad::bench {

enum class Verdict : uint8_t {
  same,    // no difference shown, or one too small to care about
  faster,  // the second file's
  slower,
  too_few,  // so few repetitions that no difference could be shown
};
const char* name_of(Verdict verdict);

struct CompareOptions {
  double alpha = 0.01;      // a difference counts whose p is below it …
  double threshold = 0.03;  // … and whose medians differ by more than this share
};

struct Comparison {
  std::string name;
  double before = 0, after = 0;  // medians, milliseconds
  std::size_t before_count = 0, after_count = 0;
  double p = 1;  // of mann_whitney_p()
  Verdict verdict = Verdict::same;
};

// Benches of both, by name.
std::vector<Comparison> compare(const Results& before, const Results& after, const CompareOptions& options = {});

// melgrad-bench compare A.json B.json [--alpha P] [--threshold T]: a table; the exit status is 1 where something is
// slower, 2 for bad usage.
int compare_command(const std::vector<std::string>& arguments);

}  // namespace melgrad::bench
