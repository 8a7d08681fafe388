// The subcommands of the program, one file each in apps/commands/. Each adds itself to the parser and runs in its
// callback; errors are exceptions, which main() turns into one line and an exit status.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace melgrad {

using Json = nlohmann::ordered_json;

void add_info_command(CLI::App& app);
void add_list_commands(CLI::App& app);  // models, recipes, presets
void add_summary_command(CLI::App& app);
void add_synth_command(CLI::App& app);
void add_data_command(CLI::App& app);
void add_features_command(CLI::App& app);
void add_train_command(CLI::App& app);
void add_evaluate_command(CLI::App& app);
void add_predict_command(CLI::App& app);
void add_convert_command(CLI::App& app);
void add_export_command(CLI::App& app);
void add_report_command(CLI::App& app);
void add_profile_command(CLI::App& app);
void add_samples_command(CLI::App& app);

// --json: the one object on standard output.
void print_json(const Json& object);

// Options that several commands share.
struct CommonOptions {
  bool json = false;
  int threads = 0;
  std::string device = "cpu";
};
// --cache, --no-cache: what stands in place of data.cache.
struct CacheOptions {
  std::string cache;
  bool no_cache = false;
};
void add_cache_options(CLI::App& command, CacheOptions& options);
void use_cache(const CacheOptions& options, std::string& data_cache);

void add_json_option(CLI::App& command, CommonOptions& options);
void add_device_options(CLI::App& command, CommonOptions& options);  // --device, --threads
// Applies --threads and returns the device; throws if it is not available here.
enum class Device : uint8_t;
Device use_device(const CommonOptions& options);

}  // namespace melgrad
