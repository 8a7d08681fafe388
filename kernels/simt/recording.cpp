#include "kernels/simt/recording.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace melgrad::simt {
namespace {

constinit thread_local Recording* recording_of_this_thread = nullptr;

void add_line(LineCounts& to, const LineCounts& from) {
  to.requests += from.requests;
  to.lanes += from.lanes;
  to.bytes += from.bytes;
  to.sectors += from.sectors;
  to.wavefronts += from.wavefronts;
  to.least_wavefronts += from.least_wavefronts;
}

auto place(const LineCounts& line) {
  return std::tie(line.file, line.line, line.access);
}

}  // namespace

LineCounts KernelCounts::total(Access access) const {
  LineCounts sum;
  sum.access = access;
  for (const LineCounts& line : lines)
    if (line.access == access) add_line(sum, line);
  return sum;
}

Recording::Recording(Watch watch) : watch_(watch), previous_(std::exchange(recording_of_this_thread, this)) {}

Recording::~Recording() {
  recording_of_this_thread = previous_;
}

Recording* Recording::current() {
  return recording_of_this_thread;
}

KernelCounts Recording::kernel(const std::string& name) const {
  for (const KernelCounts& kernel : kernels_)
    if (kernel.name == name) return kernel;
  return {};
}

void Recording::add(const KernelCounts& counts) {
  const std::lock_guard lock(mutex_);
  auto found = std::find_if(kernels_.begin(), kernels_.end(), [&](const auto& k) { return k.name == counts.name; });
  if (found == kernels_.end()) {
    found = kernels_.insert(kernels_.end(), KernelCounts{});
    found->name = counts.name;
  }
  found->launches += counts.launches;
  found->blocks += counts.blocks;
  found->warps += counts.warps;
  found->barriers += counts.barriers;
  found->threads_per_block = std::max(found->threads_per_block, counts.threads_per_block);
  found->shared_bytes = std::max(found->shared_bytes, counts.shared_bytes);
  found->steps += counts.steps;
  found->step_lanes += counts.step_lanes;
  found->divergent += counts.divergent;
  for (const LineCounts& line : counts.lines) {
    const auto at = std::lower_bound(found->lines.begin(), found->lines.end(), line,
                                     [](const auto& a, const auto& b) { return place(a) < place(b); });
    if (at != found->lines.end() && place(*at) == place(line))
      add_line(*at, line);
    else
      found->lines.insert(at, line);
  }
}

}  // namespace melgrad::simt
