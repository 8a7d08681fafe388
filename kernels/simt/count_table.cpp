#include "kernels/simt/count_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace melgrad::simt {
namespace {

using Row = std::vector<std::string>;

double ratio(int64_t part, int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

// The compiler's path: absolute, or up from the build folder and down again.
std::filesystem::path source_path(std::string file, const std::string& folder) {
  while (file.starts_with("../")) file.erase(0, 3);
  return std::filesystem::path(folder) / file;
}

std::string code_of(const LineCounts& line, const std::string& folder) {
  std::ifstream file(source_path(line.file, folder));
  std::string text;
  for (int i = 0; i < line.line && std::getline(file, text); ++i) {
  }
  const std::size_t begin = text.find_first_not_of(' ');
  if (!file || begin == std::string::npos) return "";
  constexpr std::size_t most = 72;
  return text.size() - begin <= most ? text.substr(begin) : text.substr(begin, most - 3) + " …";
}

// Without what every name has: namespaces, and the space that some compilers leave between brackets.
std::string readable(std::string name) {
  for (const std::string_view noise :
       {"melgrad::simt::", "melgrad::", "{anonymous}::", "<unnamed>::", "(anonymous namespace)::"})
    for (std::size_t at = name.find(noise); at != std::string::npos; at = name.find(noise))
      name.erase(at, noise.size());
  for (std::size_t at = name.find("> >"); at != std::string::npos; at = name.find("> >")) name.erase(at + 1, 1);
  return name;
}

std::string counted(int64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

Row heading(const TableOptions& options) {
  Row row;
  if (options.places) row.push_back("place");
  row.insert(row.end(), {"access", "requests", "lanes", "sectors", "useful", "wavefronts", "conflicts"});
  if (!options.code_folder.empty()) row.push_back("code");
  return row;
}

Row row_of(const LineCounts& line, const TableOptions& options) {
  Row row;
  if (options.places) row.push_back(fmt::format("{}:{}", line.file.substr(line.file.rfind('/') + 1), line.line));
  row.push_back(std::string(name_of(line.access)));
  row.push_back(fmt::format("{}", line.requests));
  row.push_back(fmt::format("{:.1f}", ratio(line.lanes, line.requests)));
  if (is_global(line.access)) {
    row.push_back(fmt::format("{}", line.sectors));
    row.push_back(fmt::format("{:.1f} %", 100 * ratio(line.bytes, 32 * line.sectors)));
    row.insert(row.end(), {"", ""});
  } else {
    row.insert(row.end(), {"", ""});
    row.push_back(fmt::format("{}", line.wavefronts));
    row.push_back(fmt::format("{}", line.conflicts()));
  }
  if (!options.code_folder.empty()) row.push_back(code_of(line, options.code_folder));
  return row;
}

// Words to the left of their column, numbers to the right.
std::string aligned(const std::vector<Row>& rows, std::size_t words_before, bool words_behind) {
  std::vector<std::size_t> widths(rows[0].size(), 0);
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {  // what is not ASCII stands in the last column only
      const bool word = i < words_before || (words_behind && i + 1 == row.size());
      line += word ? fmt::format("  {:<{}}", row[i], widths[i]) : fmt::format("  {:>{}}", row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace

std::string to_table(const KernelCounts& kernel, const TableOptions& options) {
  const int64_t barriers = kernel.blocks == 0 ? 0 : kernel.barriers / kernel.blocks;
  std::string text = fmt::format("{}: {} of {}, {} and {} of shared memory a block\n", readable(kernel.name),
                                 counted(kernel.blocks, "block"), counted(kernel.threads_per_block, "thread"),
                                 counted(barriers, "barrier"), counted(kernel.shared_bytes, "byte"));
  const auto of = [&](Access access) { return kernel.total(access); };
  text += fmt::format("  {} sectors loaded, {} stored; {} wavefronts, {} of them bank conflicts\n",
                      of(Access::global_load).sectors, of(Access::global_store).sectors,
                      of(Access::shared_load).wavefronts + of(Access::shared_store).wavefronts,
                      of(Access::shared_load).conflicts() + of(Access::shared_store).conflicts());
  if (kernel.steps != 0) {
    text += fmt::format("  {} steps of warps, {:.1f} of 32 lanes active, {} times parted\n", kernel.steps,
                        ratio(kernel.step_lanes, kernel.steps), kernel.divergent);
  }
  std::vector<Row> rows{heading(options)};
  for (const LineCounts& line : kernel.lines) rows.push_back(row_of(line, options));
  return text + aligned(rows, options.places ? 2 : 1, !options.code_folder.empty());
}

}  // namespace melgrad::simt
