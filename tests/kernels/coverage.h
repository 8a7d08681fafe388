// What the checks of this program have run: contract function × algorithm × device × dtype, shapes, and gradients.
//
// The list of operations is kernels/*.h itself: every function there that takes a Stream. So an operation without tests
// fails here the day it is declared, and so does one whose tests leave out a device, a type, an algorithm or the shapes
// that kernels get wrong. What is not there yet is listed in coverage.cpp with its reason; a reason that no longer holds
// fails too.
#pragma once

#include <string>
#include <vector>

#include "kernels/device.h"
#include "tests/kernels/operation_case.h"

namespace melgrad::test {

void record_run(const OperationCase& operation, Device device, DType dtype);
void record_gradient(const std::string& function);

struct CoverageReport {
  std::string table;
  std::vector<std::string> holes;  // a line each
};
CoverageReport coverage_report();

}  // namespace melgrad::test
