// The name of a kernel, from inside a function template that has it as its argument `kernel`.
#pragma once

#include <string>
#include <string_view>

namespace melgrad {

// "void launch(…) [with auto kernel = melgrad::simt::{anonymous}::scale_kernel<true>; …]" → "scale_kernel<true>".
// Compilers spell the rest differently; where this one's spelling is not known, the whole is given.
inline std::string kernel_name(std::string_view function) {
  constexpr std::string_view marker = "kernel = ";
  const std::size_t found = function.find(marker);
  if (found == std::string_view::npos) return std::string(function);
  std::string_view name = function.substr(found + marker.size());
  int depth = 0;
  std::size_t start = 0;
  std::size_t end = 0;
  for (; end < name.size(); ++end) {
    const char c = name[end];
    if (depth == 0 && (c == ';' || c == ']' || c == ',')) break;
    if (depth == 0 && (c == ':' || c == '&')) start = end + 1;
    depth += (c == '<' || c == '(') - (c == '>' || c == ')');
  }
  return std::string(name.substr(start, end - start));
}

}  // namespace melgrad
