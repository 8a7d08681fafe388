#include "bench/compare/compare.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/table.h"
#include "bench/compare/mann_whitney.h"
#include "bench/parse_arguments.h"

namespace melgrad::bench {
namespace {

Comparison compare_one(const std::string& name, const std::vector<double>& before, const std::vector<double>& after,
                       const CompareOptions& options) {
  Comparison result{.name = name,
                    .before = median(before),
                    .after = median(after),
                    .before_count = before.size(),
                    .after_count = after.size(),
                    .p = mann_whitney_p(before, after)};
  const double change = result.after / result.before - 1;
  if (smallest_p(static_cast<int64_t>(before.size()), static_cast<int64_t>(after.size())) >= options.alpha) {
    result.verdict = Verdict::too_few;
  } else if (result.p < options.alpha && std::abs(change) > options.threshold) {
    result.verdict = change > 0 ? Verdict::slower : Verdict::faster;
  }
  return result;
}

void print_comparisons(const std::vector<Comparison>& comparisons) {
  std::vector<std::vector<std::string>> rows{{"bench", "before ms", "after ms", "change", "p", "verdict"}};
  for (const Comparison& c : comparisons)
    rows.push_back({c.name, fmt::format("{:.4g}", c.before), fmt::format("{:.4g}", c.after),
                    fmt::format("{:+.1f}%", 100 * (c.after / c.before - 1)), fmt::format("{:.2g}", c.p),
                    name_of(c.verdict)});
  fmt::print("{}", format_table(rows));
}

}  // namespace

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::same:
      return "same";
    case Verdict::faster:
      return "faster";
    case Verdict::slower:
      return "slower";
    case Verdict::too_few:
      return "too few";
  }
  return "";
}

std::vector<Comparison> compare(const Results& before, const Results& after, const CompareOptions& options) {
  std::vector<Comparison> comparisons;
  for (const auto& [name, times] : before.times) {
    const auto found = after.times.find(name);
    if (found != after.times.end()) comparisons.push_back(compare_one(name, times, found->second, options));
  }
  return comparisons;
}

int compare_command(const std::vector<std::string>& arguments) {
  CLI::App app{"Two results of one bench: what has become slower or faster by more than noise.",
               "melgrad-bench compare"};
  std::string before_path, after_path;
  CompareOptions options;
  app.add_option("A.json", before_path, "the result before")->required();
  app.add_option("B.json", after_path, "the result after")->required();
  app.add_option("--alpha", options.alpha, "a difference counts whose probability by chance is below this")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--threshold", options.threshold, "and whose medians differ by more than this share")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  if (const auto status = parse_arguments(app, arguments)) return *status;
  const Results before = load_results(before_path), after = load_results(after_path);
  if (before.machine != after.machine)
    fmt::print(stderr, "not the same machine: '{}' and '{}'\n", before.machine, after.machine);
  const std::vector<Comparison> comparisons = compare(before, after, options);
  if (comparisons.empty()) {
    fmt::print(stderr, "melgrad-bench: {} and {} have no bench in common\n", before_path, after_path);
    return 1;
  }
  print_comparisons(comparisons);
  const auto count = [&](Verdict verdict) {
    return std::count_if(comparisons.begin(), comparisons.end(), [&](const auto& c) { return c.verdict == verdict; });
  };
  fmt::print("{} slower, {} faster, {} the same, {} with too few repetitions (five of each will do)\n",
             count(Verdict::slower), count(Verdict::faster), count(Verdict::same), count(Verdict::too_few));
  return count(Verdict::slower) > 0 ? 1 : 0;
}

}  // namespace melgrad::bench
