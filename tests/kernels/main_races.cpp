// The kernels' tests once more, with kernels that record what they do: every operation that has a kernel, on simt, and the
// engine looks for races and for shared memory that nobody wrote.
#include "tests/kernels/operation_check.h"
#include "tests/main.h"

int main(int argc, char** argv) {
  melgrad::test::check_races_only();
  return melgrad::test::run_tests(argc, argv);
}
