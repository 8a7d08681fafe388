#include "tests/kernels/operation_case.h"

namespace melgrad::test {

FillFunction normal_values() {
  return [](Generator& random, bool integers) {
    return integers ? static_cast<double>(random.below(9)) - 4.0 : random.normal();
  };
}

FillFunction positive_values() {
  return [](Generator& random, bool integers) { return integers ? 1.0 + random.below(4) : random.uniform(0.1, 2.0); };
}

FillFunction label_values(int64_t classes) {
  return
      [classes](Generator& random, bool) { return static_cast<double>(random.below(static_cast<uint32_t>(classes))); };
}

}  // namespace melgrad::test
