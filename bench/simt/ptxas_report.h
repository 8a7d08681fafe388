// What ptxas reported of the kernels when nvcc compiled them (cmake/keep_ptxas_report.sh), by kernel and target.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace melgrad::bench {

// Over all instances of a kernel's template: which of them runs a mangled name tells only to a linker.
struct Registers {
  int least = 0, most = 0;
};

class PtxasReport {
 public:
  // Reads every *.ptxas.json of the folder and below; none where there is no such folder.
  explicit PtxasReport(const std::filesystem::path& folder);

  bool empty() const { return registers_.empty(); }
  // Of a kernel as errors name it, "matmul_kernel<…>", for "sm_80"; null if nvcc compiled no such.
  const Registers* find(const std::string& kernel, const std::string& target) const;

 private:
  std::map<std::pair<std::string, std::string>, Registers> registers_;
};

}  // namespace melgrad::bench
