// One description of an operation's problem serves every check: each device and algorithm against the f64 reference, on
// outputs that start as NaN between canaries, and exact equality on small integers.
#pragma once

#include "tests/kernels/operation_case.h"

namespace melgrad::test {

// Runs the case on each of its devices, in f32 and on the CPU in f64 too. On the CPU it runs with 1, 2 and 3 threads,
// on simt under each schedule: results must agree to the bit. A case that lists simt also runs on cuda where there is a
// GPU.
void check(const OperationCase& operation);

// From now on check() runs on simt alone, once, and has the engine look for races; check_gradient() does nothing. See
// main_races.cpp.
void check_races_only();
bool checks_races_only();

// MELGRAD_TEST_DEVICES, if set, names the devices to run on: a search for mutants of one device leaves out the others.
bool is_asked_for(Device device);

}  // namespace melgrad::test
