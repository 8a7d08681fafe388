#include "tests/kernels/coverage.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "kernels/conv2d.h"
#include "kernels/matmul.h"
#include "kernels/signal_bands.h"

namespace melgrad::test {
namespace {

// A cell of the cross-product.
struct Cell {
  std::string function, algorithm;
  Device device;
  DType dtype;

  auto operator<=>(const Cell&) const = default;
  std::string to_string() const {
    return fmt::format("{}{}{} on {} {}", function, algorithm.empty() ? "" : " ", algorithm, name_of(device),
                       name_of(dtype));
  }
};

// Shapes that kernels get wrong.
enum Trait : int { empty, one_element, prime, long_odd, trait_count };
constexpr const char* trait_names[] = {"no elements", "one element", "an axis that is a prime of 5 or more",
                                       "more than 256 elements, no multiple of 4"};
using Traits = std::set<int>;

struct Records {
  std::map<Cell, int64_t> runs;
  std::map<std::string, Traits> traits;
  std::map<std::string, int64_t> gradients;
};

Records& records() {
  static Records all;
  return all;
}

bool is_prime(int64_t n) {
  for (int64_t divisor = 2; divisor * divisor <= n; ++divisor)
    if (n % divisor == 0) return false;
  return n > 1;
}

void add_traits(Traits& traits, const OperationCase& operation) {
  bool all_one = true, any_empty = false;
  for (const InputSpec& input : operation.inputs) {
    const int64_t numel = input.shape.numel();
    all_one = all_one && numel == 1;
    any_empty = any_empty || numel == 0;
    for (int64_t axis = 0; axis < input.shape.rank(); ++axis)
      if (input.shape[axis] >= 5 && is_prime(input.shape[axis])) traits.insert(prime);
    if (numel > 256 && numel % 4 != 0) traits.insert(long_odd);
  }
  if (any_empty) traits.insert(empty);
  if (all_one) traits.insert(one_element);
}

// ---------------------------------------------------------------------------------------------------------------------
// What there is to cover.

std::vector<std::string> contract_functions() {
  std::vector<std::string> names;
  const std::regex declaration("\nvoid ([a-z0-9_]+)\\(Stream& stream,");
  for (const auto& entry : std::filesystem::directory_iterator(std::string(MELGRAD_SOURCE_DIR) + "/kernels")) {
    if (entry.path().extension() != ".h") continue;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const std::string header = text.str();
    for (std::sregex_iterator match(header.begin(), header.end(), declaration), end; match != end; ++match)
      names.push_back((*match)[1]);
  }
  std::sort(names.begin(), names.end());
  return names;
}

template <class Algorithms>
std::vector<std::string> names_of(const Algorithms& algorithms) {
  std::vector<std::string> names;
  for (auto algorithm : algorithms) names.emplace_back(name_of(algorithm));
  return names;
}

std::vector<std::string> algorithms_of(const std::string& function, Device device) {
  if (function.starts_with("conv2d_")) return names_of(conv2d_algorithms(device));
  if (function == "signal_bands") return names_of(signal_bands_algorithms(device));
  if (function == "matmul") return names_of(matmul_algorithms(device));
  return {""};
}

std::vector<DType> dtypes_of(Device device) {
  if (device == Device::cpu) return {DType::f32, DType::f64};
  return {DType::f32};  // f64 is the reference's type, and the reference runs on the CPU
}

// What has a gradient of its own to prove. dropout is its own gradient.
bool has_gradient(const std::string& function) {
  return function.find("_backward") != std::string::npos || function == "dropout";
}

// ---------------------------------------------------------------------------------------------------------------------
// What is missing, and why.

const std::map<std::string, std::string> missing_on_simt{
    {"conv_pool_forward", "its parts run there one by one: conv2d, bias, max_pool2d, activation"},
    {"conv_pool_backward", "its parts run there one by one"}};  // function: reason

const std::map<std::pair<std::string, int>, std::string> missing_shapes{
    // clang-format off
    {{"batch_norm_train_forward", empty}, "no rows, no statistics: an error"},
    {{"batch_norm_train_backward", empty}, "no rows, no statistics: an error"},
    {{"norm_pool_forward", empty}, "no rows, no statistics: an error"},
    {{"norm_pool_backward", empty}, "no rows, no statistics: an error"},
    {{"conv_block_forward", empty}, "no rows, no statistics: an error"},
    {{"conv_block_backward", empty}, "no rows, no statistics: an error"},
    {{"conv_block_fold", one_element}, "impulses in several channels"},
    {{"conv_block_fold", empty}, "impulses in several channels"},
    {{"first_block_statistics", empty}, "no rows, no statistics: an error"},
    {{"first_block_backward", empty}, "no rows, no statistics: an error"},
    {{"signal_bands", one_element}, "a root of unity has two numbers"},
    {{"gru_forward", one_element}, "one unit has three gates"},
    {{"gru_backward", one_element}, "one unit has three gates"},
    {{"reduce_max_backward", empty}, "the largest of no elements is an error"},
    // clang-format on
};

// A cell of the table: the number of runs over all algorithms.
std::string count_of(const std::string& function, Device device, DType dtype) {
  int64_t count = 0;
  for (const auto& [cell, runs] : records().runs)
    if (cell.function == function && cell.device == device && cell.dtype == dtype) count += runs;
  if (count > 0) return fmt::format("{}", count);
  return device == Device::simt && missing_on_simt.contains(function) ? "later" : "-";
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
  return text;
}

void check_cells(const std::string& function, std::vector<std::string>& holes) {
  std::vector<Device> on{Device::cpu, Device::simt};
  const std::vector<Device> available = available_devices();
  const bool has_cuda = std::count(available.begin(), available.end(), Device::cuda) != 0;
  if (has_cuda) on.push_back(Device::cuda);
  for (Device device : on) {
    const bool excused = device != Device::cpu && missing_on_simt.contains(function);
    bool covered = false;
    const std::vector<std::string> algorithms = algorithms_of(function, device);
    if (algorithms.empty() && !excused)
      holes.push_back(fmt::format("{} has no algorithm on {}", function, name_of(device)));
    for (const std::string& algorithm : algorithms) {
      for (DType dtype : dtypes_of(device)) {
        const Cell cell{function, algorithm, device, dtype};
        if (records().runs.contains(cell)) {
          covered = true;
        } else if (!excused) {
          holes.push_back(cell.to_string() + ": no case");
        }
      }
    }
    if (excused && covered)
      holes.push_back(fmt::format("{} runs on {}: take it off the list of what is missing", function, name_of(device)));
  }
}

void check_shapes(const std::string& function, std::vector<std::string>& holes) {
  for (int trait = 0; trait < trait_count; ++trait) {
    const bool excused = missing_shapes.contains({function, trait});
    if (records().traits[function].contains(trait) != excused) continue;
    holes.push_back(excused ? fmt::format("{} has a case with {}: take it off the list of what is missing", function,
                                          trait_names[trait])
                            : fmt::format("{}: no case with {}", function, trait_names[trait]));
  }
}

}  // namespace

void record_run(const OperationCase& operation, Device device, DType dtype) {
  const std::string function = operation.name.substr(0, operation.name.find(' '));
  ++records().runs[{function, operation.algorithm, device, dtype}];
  add_traits(records().traits[function], operation);
}

void record_gradient(const std::string& function) {
  ++records().gradients[function];
}

CoverageReport coverage_report() {
  CoverageReport report;
  const std::vector<std::string> functions = contract_functions();
  report.table = fmt::format("{:<32} {:>8} {:>8} {:>9} {:>9} {:>9}  {}\n", "function", "cpu f32", "cpu f64", "simt f32",
                             "cuda f32", "gradients", "algorithms on the CPU");
  for (const std::string& function : functions) {
    check_cells(function, report.holes);
    check_shapes(function, report.holes);
    const int64_t gradients = records().gradients[function];
    if (has_gradient(function) && gradients == 0)
      report.holes.push_back(function + ": not compared with central differences");
    report.table += fmt::format(
        "{:<32} {:>8} {:>8} {:>9} {:>9} {:>9}  {}\n", function, count_of(function, Device::cpu, DType::f32),
        count_of(function, Device::cpu, DType::f64), count_of(function, Device::simt, DType::f32),
        count_of(function, Device::cuda, DType::f32), has_gradient(function) ? fmt::format("{}", gradients) : "",
        joined(algorithms_of(function, Device::cpu)));
  }
  for (const auto& [cell, runs] : records().runs)
    if (!std::binary_search(functions.begin(), functions.end(), cell.function))
      report.holes.push_back(cell.function + ": a case of no function of kernels/*.h");
  return report;
}

}  // namespace melgrad::test
