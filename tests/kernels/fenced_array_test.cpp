#include "tests/kernels/fenced_array.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace melgrad::test {
namespace {

// Whether to touch the element ends a program.
bool is_deadly(const FencedArray& array, int64_t element, bool writes) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGSEGV, SIG_DFL);
    volatile float* at = array.view().as<float>() + element;
    if (writes)
      *at = 1;
    else
      static_cast<void>(*at);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status != 0;
}

TEST_CASE(
    "an array of the tests ends the program that reads or writes past its fence, and tells of writing elsewhere") {
  for (int64_t size : {1, 7, 1024, 1031}) {
    FencedArray behind(Shape{size}, DType::f32, Device::cpu);
    FencedArray before(Shape{size}, DType::f32, Device::cpu, Fence::before);
    for (bool writes : {false, true}) {
      CHECK(is_deadly(behind, size, writes));
      CHECK(is_deadly(before, -1, writes));
      CHECK(!is_deadly(behind, 0, writes));
      CHECK(!is_deadly(before, size - 1, writes));
    }
    behind.set(std::vector<double>(static_cast<std::size_t>(size), 3));
    CHECK(behind.values() == std::vector<double>(static_cast<std::size_t>(size), 3));
    CHECK(behind.canaries_live());
    if (size % 1024 == 0) continue;  // whole pages: fences on both sides
    behind.view().as<float>()[-1] = 0;
    CHECK(!behind.canaries_live());
    before.view().as<float>()[size] = 0;
    CHECK(!before.canaries_live());
  }
  const FencedArray nothing(Shape{0}, DType::f32, Device::cpu);
  CHECK(is_deadly(nothing, 0, false));
  CHECK(nothing.canaries_live());
}

}  // namespace
}  // namespace melgrad::test
