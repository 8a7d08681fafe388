#include "layers/option_text.h"

#include <fmt/ranges.h>

namespace melgrad {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool is_list(std::string_view text) {
  return text.starts_with('[') && text.ends_with(']');
}

bool is_rule(std::string_view text) {
  return !text.empty() && text.front() != '[' && text.find_first_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::vector<std::string> list_items(std::string_view key, std::string_view text) {
  text = trimmed(text);
  if (!is_list(text)) return {std::string(text)};
  text = text.substr(1, text.size() - 2);
  std::vector<std::string> items(1);
  int depth = 0;
  for (char c : text) {
    depth += c == '[' ? 1 : c == ']' ? -1 : 0;
    require(depth >= 0, "{}: brackets do not match in '[{}]'", key, text);
    if (c == ',' && depth == 0) {
      items.emplace_back();
    } else {
      items.back() += c;
    }
  }
  require(depth == 0, "{}: brackets do not match in '[{}]'", key, text);
  for (std::string& item : items) item = trimmed(item);
  if (items.size() == 1 && items[0].empty()) items.clear();
  return items;
}

void option_from_text(std::string_view key, std::string_view text, Integers& integers) {
  integers.values.clear();
  for (const std::string& item : list_items(key, text)) option_from_text(key, item, integers.values.emplace_back());
}

std::string option_to_text(const Integers& integers) {
  return fmt::format("[{}]", fmt::join(integers.values, ", "));
}

void option_from_text(std::string_view key, std::string_view text, Pair& pair) {
  Integers integers;
  option_from_text(key, text, integers);
  const std::vector<int64_t>& values = integers.values;
  require(values.size() == 1 || values.size() == 2, "{}: '{}', expected a number or two", key, text);
  pair = {values.front(), values.back()};
}

std::string option_to_text(const Pair& pair) {
  return fmt::format("[{}, {}]", pair.rows, pair.columns);
}

void option_from_text(std::string_view key, std::string_view text, AxisPadding& padding) {
  if (is_rule(unquoted(text))) {
    padding = parse_enum<Padding>(key, unquoted(text));
    return;
  }
  Pair amounts(0);
  option_from_text(key, text, amounts);
  padding = {amounts.rows, amounts.columns};
}

std::string option_to_text(const AxisPadding& padding) {
  return padding.given ? option_to_text(Pair(padding.before, padding.after)) : option_to_text(padding.rule);
}

void option_from_text(std::string_view key, std::string_view text, PairPadding& padding) {
  const std::vector<std::string> items = list_items(key, text);
  require(items.size() == 1 || items.size() == 2, "{}: '{}', expected same, valid, a number or two", key, text);
  AxisPadding rows = Padding::valid, columns = Padding::valid;
  option_from_text(key, items.front(), rows);
  option_from_text(key, items.back(), columns);
  padding = {rows, columns};
}

std::string option_to_text(const PairPadding& padding) {
  const std::string rows = option_to_text(padding.rows), columns = option_to_text(padding.columns);
  return rows == columns && !padding.rows.given ? rows : fmt::format("[{}, {}]", rows, columns);
}

}  // namespace melgrad
