// Tables that align in a terminal.
#pragma once

#include <string>
#include <vector>

namespace melgrad {

// The first row is the header. Cells that look like numbers are set to the right.
std::string format_table(const std::vector<std::vector<std::string>>& rows);

// Digits with their points, commas, signs, exponents and percent.
bool looks_like_number(const std::string& cell);

// 25162 -> "25,162".
std::string with_commas(int64_t number);

}  // namespace melgrad
