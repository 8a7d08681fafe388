#include "bench/compare/results.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "tensor/io/atomic_file.h"

namespace melgrad::bench {
namespace {

using Json = nlohmann::json;

double milliseconds(double time, const std::string& unit) {
  if (unit == "ns") return time * 1e-6;
  if (unit == "us") return time * 1e-3;
  return unit == "s" ? time * 1e3 : time;
}

Results of_google_benchmark(const Json& file) {
  Results results;
  const Json& context = file.at("context");
  results.machine = context.value("processor", context.value("host_name", ""));
  for (const Json& row : file.at("benchmarks")) {
    if (row.value("run_type", "iteration") != "iteration" || row.value("error_occurred", false)) continue;
    // Repetitions of one bench have one run_name; the name may say which repetition it is.
    results.times[row.value("run_name", row.at("name").get<std::string>())].push_back(
        milliseconds(row.at("real_time").get<double>(), row.at("time_unit").get<std::string>()));
  }
  return results;
}

Results of_peers(const Json& file) {
  Results results;
  results.machine =
      fmt::format("{}, {} threads", file.at("processor").get<std::string>(), file.at("threads").get<int>());
  for (const Json& row : file.at("rows"))
    results.times[fmt::format("models/{}/{}/batch:{}", row.at("model").get<std::string>(),
                              row.at("pass").get<std::string>(), row.at("batch").get<int>())] =
        row.at("times_ms").at("melgrad").get<std::vector<double>>();
  return results;
}

}  // namespace

Results load_results(const std::filesystem::path& path) {
  try {
    const Json file = Json::parse(read_file(path));
    return file.contains("benchmarks") ? of_google_benchmark(file) : of_peers(file);
  } catch (const Json::exception& error) {
    fail("{}: no result of melgrad-bench or of ./run bench peers: {}", path.string(), error.what());
  }
}

}  // namespace melgrad::bench
