#pragma once

namespace melgrad::test {

// Runs doctest with the program's arguments; 0 if all passed.
int run_tests(int argc, char** argv);

}  // namespace melgrad::test
