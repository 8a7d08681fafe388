#include "tests/main.h"

int main(int argc, char** argv) {
  return melgrad::test::run_tests(argc, argv);
}
