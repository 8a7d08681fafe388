// The lessons of docs/kernels: their kernels give what their references give, and the pages quote their code and the counts
// that they print.
#include <doctest/doctest.h>

#include <map>

#include "docs/kernels/lesson.h"
#include "tests/docs/quotes.h"

namespace melgrad::test {
namespace {

const std::string& printed_by(const std::string& wanted) {
  static std::map<std::string, std::string> texts;
  std::string& text = texts[wanted];
  if (!text.empty()) return text;
  for (const auto& [name, run] : simt::lessons) {
    if (name != wanted) continue;
    simt::Lesson lesson;
    run(lesson);  // throws where a result is wrong
    text = lesson.printed();
  }
  return text;
}

TEST_CASE("the lessons' kernels are right, and their pages quote what is there") {
  const std::filesystem::path folder = std::string(MELGRAD_SOURCE_DIR) + "/docs/kernels";
  for (const auto& [name, run] : simt::lessons) {
    CAPTURE(name);
    CHECK_FALSE(printed_by(std::string(name)).empty());
    const std::filesystem::path page = folder / (std::string(name) + ".md");
    REQUIRE(std::filesystem::exists(page));
    CHECK(check_page(page, [](const std::string& lesson) { return lines_of(printed_by(lesson)); }) >= 3);
  }
  CHECK(check_page(folder / "README.md", [](const std::string& lesson) { return lines_of(printed_by(lesson)); }) == 1);
}

}  // namespace
}  // namespace melgrad::test
