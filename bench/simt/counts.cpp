#include "bench/simt/counts.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "bench/operation_arrays.h"
#include "bench/simt/chips.h"
#include "bench/simt/operations.h"
#include "bench/simt/ptxas_report.h"
#include "docs/kernels/lesson.h"
#include "kernels/simt/count_table.h"

namespace melgrad::bench {
namespace {

// "  occupancy, estimated: A100 75 % with 40 registers (limit: registers), …"
std::string occupancy_line(const PtxasReport& report, const simt::KernelCounts& kernel) {
  std::string text;
  for (const Chip& chip : chips()) {
    const Registers* registers = report.find(kernel.name, chip.target);
    if (registers == nullptr) return "";
    const Occupancy of = occupancy(chip, kernel.threads_per_block, registers->most, kernel.shared_bytes);
    text += fmt::format("{} {} {:.0f} % with {} registers (limit: {})", text.empty() ? "  occupancy, estimated:" : ",",
                        chip.name, 100 * of.share, registers->most, of.limit);
  }
  return text + "\n";
}

std::string time_line(const Work& work) {
  std::string text;
  for (const Chip& chip : chips()) {
    const LeastTime least = least_time(chip, work);
    text += fmt::format("{} {} {:.2f} us ({})", text.empty() ? "  at least, estimated:" : ",", chip.name,
                        least.seconds * 1e6, least.limit);
  }
  return text + "\n";
}

void print_operation(const SimtOperation& simt_operation, const PtxasReport& report, bool divergence) {
  const test::OperationCase& operation = simt_operation.bench.operation;
  const Arrays inputs = make_inputs(operation, DType::f32, Device::simt),
               outputs = make_outputs(operation, DType::f32, Device::simt);
  const std::vector<ConstView> views(inputs.views.begin(), inputs.views.end());
  const simt::Recording recording({.counts = true, .branches = divergence});
  Stream stream(Device::simt);
  operation.run(stream, views, outputs.views);

  Work work{simt_operation.bench.cost, simt_operation.on_tensor_cores};
  fmt::print("{}: at least {:.3f} MFLOP and {:.3f} MB of global memory\n", operation.name,
             static_cast<double>(work.cost.flops) * 1e-6, static_cast<double>(work.cost.bytes) * 1e-6);
  for (const simt::KernelCounts& kernel : recording.kernels()) {
    fmt::print("{}{}", simt::to_table(kernel, {.code_folder = MELGRAD_SOURCE_DIR}), occupancy_line(report, kernel));
    for (const simt::LineCounts& line : kernel.lines) {
      work.sectors += line.sectors;
      work.wavefronts += line.wavefronts;
    }
  }
  fmt::print("{}\n", time_line(work));
}

int print_counts(const std::string& filter, bool divergence) {
  const PtxasReport report(MELGRAD_PTXAS_FOLDER);
  fmt::print(
      "Requests of warps, counted on simt: one for each access in the source. sectors: of 32 bytes, at the first "
      "cache.\n"
      "useful: of a sector's bytes, those asked for. conflicts: wavefronts beyond the least. No time is "
      "measured.\n{}\n",
      report.empty() ? "Occupancy is left out: nvcc has not compiled the kernels in this build.\n" : "");
  const std::regex wanted(filter);
  bool any = false;
  for (const auto& [name, run] : simt::lessons) {
    if (!std::regex_search(fmt::format("lesson/{}", name), wanted)) continue;
    any = true;
    simt::Lesson lesson;
    run(lesson);
    fmt::print("lesson/{}\n{}\n", name, lesson.printed());
  }
  for (const SimtOperation& operation : simt_operations()) {
    if (!std::regex_search(operation.bench.operation.name, wanted)) continue;
    any = true;
    print_operation(operation, report, divergence);
  }
  if (any) return 0;
  fmt::print(stderr, "melgrad-bench: no operation's name matches {}\n", filter);
  return 1;
}

}  // namespace

int counts_command(const std::vector<std::string>& arguments) {
  const auto usage = [] {
    fmt::print(stderr, "usage: melgrad-bench --device simt [--filter REGEX] [--divergence], or --device cuda [REGEX]\n");
    return 2;
  };
  if (arguments.empty() || arguments[0] != "simt") return usage();
  std::string filter;
  bool divergence = false;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i] == "--divergence") {
      divergence = true;
    } else if (arguments[i] == "--filter" && i + 1 < arguments.size()) {
      filter = arguments[++i];
    } else {
      return usage();
    }
  }
  try {
    return print_counts(filter, divergence);
  } catch (const std::regex_error&) {
    fmt::print(stderr, "melgrad-bench: {} is no regular expression\n", filter);
    return 2;
  }
}

}  // namespace melgrad::bench
