// Options as text: recipes, --set key=value, the headers of caches and run folders.
//
// An options struct lists its fields once, in a static member template:
//
//   struct Example {
//     int64_t batch = 32;
//     template <class Self, class Field>
//     static void visit(Self& self, Field&& field) { field("batch", self.batch); }
//   };
//
// A field is a bool, an integer, a double, a string, an enumeration with enum_names, or a type with its own
// option_from_text(key, text, T&) and option_to_text(const T&). Text is TOML's: strings and enumerations in quotes when
// formatted, with or without when parsed.
#pragma once

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

#include "kernels/enum_names.h"

namespace melgrad {

inline std::string_view unquoted(std::string_view text) {
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front())
    return text.substr(1, text.size() - 2);
  return text;
}

inline std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      result += fmt::format("\\u{:04x}", c);
    } else {
      result += c;
    }
  }
  return result + '"';
}

template <class Number>
requires std::integral<Number> || std::floating_point<Number>
void option_from_text(std::string_view key, std::string_view text, Number& value) {
  if constexpr (std::same_as<Number, bool>) {
    require(text == "true" || text == "false", "{}: '{}' is neither true nor false", key, text);
    value = text == "true";
  } else {
    Number parsed{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
    require(error == std::errc() && end == text.data() + text.size(), "{}: '{}' is not {}", key, text,
            std::integral<Number> ? "a whole number in range" : "a number");
    value = parsed;
  }
}

inline void option_from_text(std::string_view, std::string_view text, std::string& value) {
  value = unquoted(text);
}

template <class E>
requires std::is_enum_v<E>
void option_from_text(std::string_view key, std::string_view text, E& value) {
  value = parse_enum<E>(key, unquoted(text));
}

template <class Number>
requires std::integral<Number> || std::floating_point<Number> std::string option_to_text(Number value) {
  return fmt::format("{}", value);  // the shortest text that reads back as the same number
}

inline std::string option_to_text(const std::string& value) {
  return in_quotes(value);
}

template <class E>
requires std::is_enum_v<E> std::string option_to_text(E value) {
  return in_quotes(name_of(value));
}

template <class Options>
std::string option_names() {
  std::string names;
  Options options;
  Options::visit(options, [&](std::string_view name, const auto&) {
    if (!names.empty()) names += ", ";
    names += name;
  });
  return names;
}

// Sets the field `key`; `section` stands before it in errors ("train.batch"). Returns false if there is no such field.
template <class Options>
bool set_option(Options& options, std::string_view section, std::string_view key, std::string_view text) {
  bool found = false;
  Options::visit(options, [&](std::string_view name, auto& value) {
    if (name != key) return;
    found = true;
    option_from_text(fmt::format("{}.{}", section, key), text, value);
  });
  return found;
}

// "key = value" lines in the order of the fields.
template <class Options>
std::string format_options(const Options& options) {
  std::string lines;
  Options::visit(options, [&](std::string_view name, const auto& value) {
    lines += fmt::format("{} = {}\n", name, option_to_text(value));
  });
  return lines;
}

}  // namespace melgrad
