#include "kernels/simd.h"

#include <fmt/ranges.h>
#include <hwy/targets.h>

#include <algorithm>

#include "kernels/error.h"

namespace melgrad {
namespace {

// What use_simd() chose; 0: the best.
int64_t& chosen() {
  static int64_t target = 0;
  return target;
}

std::vector<int64_t> targets() {
  hwy::SetSupportedTargetsForTest(0);  // all that the processor has
  std::vector<int64_t> found;
  // A better target has the lower bit.
  for (int64_t left = hwy::SupportedTargets() & HWY_TARGETS; left != 0; left &= left - 1) found.push_back(left & -left);
  hwy::SetSupportedTargetsForTest(chosen());
  return found;
}

}  // namespace

std::string simd_name() {
  return hwy::TargetName(chosen() != 0 ? chosen() : targets().front());
}

std::vector<std::string> simd_names() {
  std::vector<std::string> names;
  for (const int64_t target : targets()) names.emplace_back(hwy::TargetName(target));
  return names;
}

void use_simd(const std::string& name) {
  const std::vector<std::string> names = simd_names();
  const auto found = std::ranges::find(names, name);
  require(name.empty() || found != names.end(), "simd: no '{}' here; there is {}", name, fmt::join(names, ", "));
  chosen() = name.empty() ? 0 : targets()[static_cast<std::size_t>(found - names.begin())];
  hwy::SetSupportedTargetsForTest(chosen());
}

}  // namespace melgrad
