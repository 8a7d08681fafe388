// The command lines of melgrad-bench's own commands, compare and report.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

namespace melgrad::bench {

// The exit status where there is nothing more to do: help was asked for, or the usage is bad (2, and a line that says why).
inline std::optional<int> parse_arguments(CLI::App& app, const std::vector<std::string>& arguments) {
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 takes them
  try {
    app.parse(reversed);
    return {};
  } catch (const CLI::Success& request) {
    return app.exit(request);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "melgrad-bench: {}; see {} --help\n", error.what(), app.get_name());
    return 2;
  }
}

}  // namespace melgrad::bench
