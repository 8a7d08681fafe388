// lesson NAME: runs the kernels of a page, checks them, and prints their counts; built by nvcc (lesson_cuda), their times on a
// GPU.
#include <fmt/format.h>

#include "docs/kernels/lesson.h"

int main(int argc, char** argv) {
  using namespace melgrad;
  using namespace melgrad::MELGRAD_DEVICE_NAMESPACE;
  const std::string_view wanted = argc == 2 ? argv[1] : "";
  for (const auto& [name, run] : lessons) {
    if (name != wanted) continue;
    try {
      Lesson lesson;
      run(lesson);
      fmt::print("{}", lesson.printed());
      return 0;
    } catch (const Error& error) {
      fmt::print(stderr, "lesson: {}\n", error.what());
      return 1;
    }
  }
  std::string names;
  for (const auto& [name, run] : lessons) names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
  fmt::print(stderr, "usage: lesson NAME; there are {}\n", names);
  return 2;
}
