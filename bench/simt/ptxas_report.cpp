#include "bench/simt/ptxas_report.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

namespace melgrad::bench {
namespace {

constexpr std::string_view ending = "_kernel";

// "_ZN7melgrad4cuda…13matmul_kernelI…" → "matmul_kernel": the first name that ends so. In a mangled name its length
// stands before it.
std::string name_in(const std::string& mangled) {
  for (std::size_t end = mangled.find(ending); end != std::string::npos; end = mangled.find(ending, end + 1)) {
    const std::size_t stop = end + ending.size();
    for (std::size_t begin = end; begin-- > 1;) {
      const std::string length = std::to_string(stop - begin);
      if (begin >= length.size() && mangled.compare(begin - length.size(), length.size(), length) == 0)
        return mangled.substr(begin, stop - begin);
    }
  }
  return "";
}

}  // namespace

PtxasReport::PtxasReport(const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder)) return;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.path().string().ends_with(".ptxas.json")) continue;
    for (const nlohmann::json& kernel : nlohmann::json::parse(std::ifstream(entry.path()))) {
      const int count = kernel.at("registers");
      Registers& registers = registers_[{name_in(kernel.at("kernel")), kernel.at("target")}];
      registers.least = registers.most == 0 ? count : std::min(registers.least, count);
      registers.most = std::max(registers.most, count);
    }
  }
}

const Registers* PtxasReport::find(const std::string& kernel, const std::string& target) const {
  const auto found = registers_.find({kernel.substr(0, kernel.find('<')), target});
  return found == registers_.end() ? nullptr : &found->second;
}

}  // namespace melgrad::bench
