// Text that comes from outside: file names may be any bytes, while JSON, TOML and pictures hold UTF-8 alone.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace melgrad {

// Bytes of the UTF-8 character that begins here; 0 if none does.
inline std::size_t utf8_character_at(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t size = lead < 0x80                   ? 1
                           : lead >= 0xC2 && lead < 0xE0 ? 2
                           : lead >= 0xE0 && lead < 0xF0 ? 3
                           : lead >= 0xF0 && lead < 0xF5 ? 4
                                                         : 0;
  if (size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool surrogate = (lead == 0xED && byte(1) >= 0xA0) || (lead == 0xF4 && byte(1) >= 0x90);
  return overlong || surrogate ? 0 : size;
}

// The text with "?" for each byte that is not UTF-8 and for each control character.
inline std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t size = utf8_character_at(text);
    const bool control = size == 1 && (static_cast<unsigned char>(text[0]) < 0x20 || text[0] == 0x7F);
    result += size == 0 || control ? std::string_view("?") : text.substr(0, size);
    text.remove_prefix(std::max<std::size_t>(1, size));
  }
  return result;
}

}  // namespace melgrad
