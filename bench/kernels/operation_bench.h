// A bench of an operation: the description that its tests check, and what it must cost.
//
//   std::vector<BenchCase> cases();
//   const OperationBench registered(cases);
//
// The result is checked against the reference once, before anything is timed.
#pragma once

#include <vector>

#include "kernels/cost.h"
#include "tests/kernels/operation_case.h"

namespace melgrad::bench {

struct BenchCase {
  test::OperationCase operation;  // without a reference nothing is checked
  Cost cost;
};

// Registers the cases with Google Benchmark, under their names.
class OperationBench {
 public:
  explicit OperationBench(std::vector<BenchCase> (*cases)());
};

}  // namespace melgrad::bench
