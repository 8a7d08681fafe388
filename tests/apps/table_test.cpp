#include "apps/table.h"

#include <doctest/doctest.h>

#include <limits>

#include "apps/report_evaluation.h"

namespace melgrad::test {
namespace {

TEST_CASE("tables: words to the left, numbers to the right, whatever the alphabet") {
  CHECK(format_table({{"name", "count"}, {"müsli", "7"}, {"rock", "1,234"}}) ==
        "name   count\n"
        "-----  -----\n"
        "müsli      7\n"
        "rock   1,234\n");
  CHECK(format_table({{"a", "b"}, {"", "."}}) == "a  b\n-  -\n   .\n");
}

TEST_CASE("numbers with commas") {
  CHECK(with_commas(0) == "0");
  CHECK(with_commas(999) == "999");
  CHECK(with_commas(1000) == "1,000");
  CHECK(with_commas(-123456) == "-123,456");
  CHECK(with_commas(std::numeric_limits<int64_t>::min()) == "-9,223,372,036,854,775,808");
}

TEST_CASE("a confusion table names its columns, cutting only what is long") {
  ConfusionMatrix confusion(3);
  confusion.add(0, 0);
  confusion.add(0, 1);
  confusion.add(1, 1);
  const std::string table = confusion_table(confusion, {"classical", "drum and bass und mehr", "ä"});
  CHECK(table.find("classical") != std::string::npos);
  CHECK(table.find("drum and ba…") != std::string::npos);
  CHECK(table.find("0.50    1.00\n") != std::string::npos);  // recall and precision of the first
  CHECK(table.find("1.00    0.50\n") != std::string::npos);  // of the second
}

TEST_CASE("a confusion table of many classes numbers its columns, so that it fits a terminal") {
  ConfusionMatrix confusion(24);
  for (int64_t c = 0; c < 24; ++c) confusion.add(c, c);
  const std::string table = confusion_table(confusion, std::vector<std::string>(24, "C# minor"));
  CHECK(table.find("24 C# minor") != std::string::npos);
  CHECK(table.substr(0, table.find('\n')).size() <= 140);
}

}  // namespace
}  // namespace melgrad::test
