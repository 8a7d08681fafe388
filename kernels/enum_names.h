// One table of names an enumeration, for errors, options on the command line, recipes and benches.
//
//   template <> inline constexpr EnumNames<Device, 3> enum_names<Device>{{{Device::cpu, "cpu"}, …}};
//   name_of(Device::cpu) == "cpu";  parse_enum<Device>("device", "cpu") == Device::cpu
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "kernels/error.h"

namespace melgrad {

template <class E, std::size_t N>
using EnumNames = std::array<std::pair<E, std::string_view>, N>;

template <class E>
inline constexpr bool enum_names = false;  // specialise with an EnumNames<E, N>

template <class E>
constexpr std::string_view name_of(E value) {
  for (const auto& [known, name] : enum_names<E>)
    if (known == value) return name;
  return "?";
}

template <class E>
std::string list_names(std::string_view separator = ", ") {
  std::string list;
  for (const auto& [known, name] : enum_names<E>) {
    if (!list.empty()) list += separator;
    list += name;
  }
  return list;
}

// Throws an error that lists the names `option` may take.
template <class E>
E parse_enum(std::string_view option, std::string_view text) {
  for (const auto& [known, name] : enum_names<E>)
    if (name == text) return known;
  fail("{}: unknown value '{}'; expected one of {}", option, text, list_names<E>());
}

}  // namespace melgrad
