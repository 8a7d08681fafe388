#include "tests/docs/quotes.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace melgrad::test {
namespace {

Lines read_lines(std::istream&& stream) {
  Lines lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}
Lines read_lines(const std::filesystem::path& path) {
  return read_lines(std::ifstream(path));
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

// What stands in a mark, <!-- … -->, behind `beginning`; "" if it is no such mark.
std::string marked(const std::string& mark, const std::string& beginning) {
  const std::string begin = "<!-- " + beginning, end = " -->";
  if (!mark.starts_with(begin) || !mark.ends_with(end)) return "";
  return mark.substr(begin.size(), mark.size() - begin.size() - end.size());
}

}  // namespace

Lines lines_of(const std::string& text) {
  return read_lines(std::istringstream(text));
}

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

int check_page(const std::filesystem::path& page, const std::function<Lines(const std::string&)>& printed) {
  const Lines lines = read_lines(page);
  int quotes = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!lines[i].starts_with("```") || lines[i] == "```") continue;
    const std::string mark = i == 0 ? "" : lines[i - 1];
    const std::string name = fmt::format("{}:{}", page.filename().string(), i + 1);
    const std::string source = marked(mark, "from "), lesson = marked(mark, "printed by lesson ");
    CHECK_MESSAGE((!source.empty() || lines[i] != "```cpp"), name << ": no <!-- from FILE --> before this block");
    Lines block;
    for (++i; i < lines.size() && lines[i] != "```"; ++i) block.push_back(lines[i]);
    if (source.empty() && lesson.empty()) continue;
    ++quotes;
    const std::filesystem::path file = std::filesystem::path(MELGRAD_SOURCE_DIR) / source;
    REQUIRE_MESSAGE((source.empty() || std::filesystem::exists(file)), name << ": there is no " << source);
    const std::string missing = first_difference(block, source.empty() ? printed(lesson) : read_lines(file));
    CHECK_MESSAGE(missing.empty(),
                  name << ": not in " << (source.empty() ? "lesson " + lesson : source) << ": " << missing);
  }
  return quotes;
}

}  // namespace melgrad::test
