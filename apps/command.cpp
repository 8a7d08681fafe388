#include "apps/command.h"

#include <fmt/format.h>

#include "apps/config.h"
#include "kernels/thread_pool.h"

namespace melgrad {

void print_json(const Json& object) {
  // Names of files may be no UTF-8, which JSON must be.
  fmt::print("{}\n", object.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void add_json_option(CLI::App& command, CommonOptions& options) {
  command.add_flag("--json", options.json, "print one JSON object on standard output, and nothing else there");
}

void add_cache_options(CLI::App& command, CacheOptions& options) {
  CLI::Option* cache = command.add_option("--cache", options.cache, "keep decoded clips and features in this folder");
  command.add_flag("--no-cache", options.no_cache, "keep nothing, whatever data.cache says")->excludes(cache);
}

void use_cache(const CacheOptions& options, std::string& data_cache) {
  if (!options.cache.empty()) data_cache = options.cache;
  if (options.no_cache) data_cache = "none";
}

void add_device_options(CLI::App& command, CommonOptions& options) {
  command.add_option("--device", options.device, "cpu, simt or cuda")->capture_default_str();
  command.add_option("--threads", options.threads, "CPU threads; 0: one a processor")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
}

Device use_device(const CommonOptions& options) {
  set_threads(options.threads);
  Device device{};
  try {
    device = parse_enum<Device>("--device", options.device);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  for (const DeviceStatus& status : devices()) {
    if (status.device == device)
      require(status.available, "device {} is not available: {}", options.device, status.reason);
  }
  return device;
}

}  // namespace melgrad
