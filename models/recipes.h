// The recipes that come with the program, models/recipes/*.toml: one a published protocol.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace melgrad {

struct Recipe {
  std::string_view name;
  std::string_view text;  // TOML
};

// Sorted by name.
const std::vector<Recipe>& recipes();

}  // namespace melgrad
