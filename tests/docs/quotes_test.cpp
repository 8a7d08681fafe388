// The code that the pages quote is the code that there is.
#include "tests/docs/quotes.h"

#include <doctest/doctest.h>

namespace melgrad::test {
namespace {

TEST_CASE("every block of C++ in docs/ is a quote of code that is compiled") {
  int quotes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(MELGRAD_SOURCE_DIR) + "/docs"))
    if (entry.path().extension() == ".md") quotes += check_page(entry.path());
  CHECK(quotes >= 15);
}

TEST_CASE("a quote that has drifted is seen") {
  const Lines source{"int f() {", "  return 1;", "}", "", "int g() {", "  return 2;", "}"};
  CHECK(first_difference({"return 2;"}, source).empty());
  CHECK(first_difference({"int f() {", "  return 1;", "}"}, source).empty());
  CHECK(first_difference({"int f() {", "  …", "int g() {"}, source).empty());
  CHECK(first_difference({"int f() {", "  return 2;", "}"}, source) == "  return 2;");
  CHECK(first_difference({"int f() {", "return 1;"}, source) == "return 1;");       // another indentation
  CHECK(first_difference({"int g() {", "…", "int f() {"}, source) == "int f() {");  // another order
  CHECK(first_difference({"return 1;", "", "}"}, source) != "");                    // blank lines count
}

}  // namespace
}  // namespace melgrad::test
