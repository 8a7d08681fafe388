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
  double bound = 1e-4;  // of a result's largest element: how far it may be from the reference
};

// Keeps the cases for register_operations.
class OperationBench {
 public:
  explicit OperationBench(std::vector<BenchCase> (*cases)());
};

// The device that the operations run on, the CPU unless main() says otherwise.
Device bench_device();
// Registers all cases with Google Benchmark, under their names.
void register_operations(Device device);

}  // namespace melgrad::bench
