// The code that the pages quote is the code that there is. A page names the file before each block,
//
//   <!-- from tensor/autograd.h -->
//
// and the block's lines stand in that file one after another, but for their common indentation; a line "…" leaves some
// out. Blocks of C++ in docs/ must all be quotes, so that each is compiled somewhere.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using Lines = std::vector<std::string>;

Lines read_lines(const std::filesystem::path& path) {
  std::ifstream file(path);
  Lines lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::size_t indentation(const std::string& line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

// `lines` without the indentation that they have in common.
Lines dedented(Lines lines) {
  std::size_t common = std::string::npos;
  for (const std::string& line : lines)
    if (!line.empty()) common = std::min(common, indentation(line));
  for (std::string& line : lines) line.erase(0, line.empty() ? 0 : common);
  return lines;
}

// Where in `text`, from line `from` on, `part` stands, under whatever indentation; text.size() if nowhere.
std::size_t find_part(const Lines& text, const Lines& part, std::size_t from) {
  for (std::size_t at = from; at + part.size() <= text.size(); ++at) {
    const auto begin = text.begin() + static_cast<std::ptrdiff_t>(at);
    if (dedented(Lines(begin, begin + static_cast<std::ptrdiff_t>(part.size()))) == dedented(part)) return at;
  }
  return text.size();
}

// The first line that is not in the source, or "".
std::string first_difference(const Lines& quote, const Lines& source) {
  std::size_t from = 0;
  Lines part;
  const auto place = [&]() -> std::string {
    if (part.empty()) return "";
    const std::size_t at = find_part(source, part, from);
    if (at == source.size()) {
      // As much of it as there is, to name the line.
      Lines beginning;
      for (const std::string& line : part) {
        beginning.push_back(line);
        if (find_part(source, beginning, from) == source.size()) return line.empty() ? "a blank line" : line;
      }
    }
    from = at + part.size();
    part.clear();
    return "";
  };
  for (const std::string& line : quote) {
    if (line.substr(indentation(line)) != "…") {
      part.push_back(line);
    } else if (const std::string missing = place(); !missing.empty()) {
      return missing;
    }
  }
  return place();
}

// Checks the blocks of a page; returns how many it quotes.
int check_page(const std::filesystem::path& page) {
  const std::filesystem::path root = MELGRAD_SOURCE_DIR;
  const Lines lines = read_lines(page);
  int quotes = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!lines[i].starts_with("```") || lines[i] == "```") continue;
    const std::string mark = i == 0 ? "" : lines[i - 1];
    const std::string name = fmt::format("{}:{}", page.filename().string(), i + 1);
    const bool quoted = mark.starts_with("<!-- from ") && mark.ends_with(" -->");
    CHECK_MESSAGE((quoted || lines[i] != "```cpp"), name << ": no <!-- from FILE --> before this block");
    Lines block;
    for (++i; i < lines.size() && lines[i] != "```"; ++i) block.push_back(lines[i]);
    if (!quoted) continue;
    ++quotes;
    const std::string source = mark.substr(10, mark.size() - 14);
    REQUIRE_MESSAGE(std::filesystem::exists(root / source), name << ": there is no " << source);
    const std::string missing = first_difference(block, read_lines(root / source));
    CHECK_MESSAGE(missing.empty(), name << ": not in " << source << ": " << missing);
  }
  return quotes;
}

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
