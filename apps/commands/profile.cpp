// melgrad profile --recipe R: one training step layer by layer, on random numbers of the recipe's shape.
#include "apps/profile.h"

#include <fmt/format.h>

#include <memory>
#include <numeric>

#include "apps/command.h"
#include "apps/run_folder.h"
#include "apps/table.h"
#include "kernels/machine_limits.h"
#include "kernels/simd.h"
#include "models/registry.h"
#include "tensor/io/atomic_file.h"

namespace melgrad {
namespace {

struct Options : CommonOptions {
  std::string recipe, trace;
  std::vector<std::string> settings;
  std::vector<int64_t> input;
  bool no_fuse = false;
  int steps = 5;
};

// The recipe with what its data would have said: the shape of a sample, and how many labels there are.
Config configure(const Options& options) {
  Config config = load_recipe(options.recipe, options.settings);
  config.train.fuse = !options.no_fuse;
  if (config.layers.empty()) {
    const ModelDescription& model = find_model(config.model);
    config.input = model.input;
    config.labels.resize(static_cast<std::size_t>(model.classes));
  }
  if (!options.input.empty()) config.input = Shape(std::span<const int64_t>(options.input));
  if (config.input.rank() == 0)
    throw UsageError(
        fmt::format("profile: {} has a network of its own; give the shape of a sample with --input", options.recipe));
  return config;
}

Batch random_batch(const Config& config, const Sequential& network, Device device) {
  const int64_t outputs = network.output_shape().numel(), n = config.train.batch;
  Generator random(config.train.seed, Draw::test);
  Samples samples{.input = config.input};
  samples.inputs.resize(static_cast<std::size_t>(n * config.input.numel()));
  for (float& value : samples.inputs) value = static_cast<float>(random.normal());
  for (int64_t i = 0; i < n; ++i) {
    samples.labels.push_back(static_cast<int32_t>(random.below(static_cast<uint32_t>(outputs))));
    samples.clip.push_back(static_cast<int32_t>(i));
  }
  if (config.train.target_scale == TargetScale::sum_to_one) make_one_hot_targets(samples, outputs);
  fit_targets(samples, config.train.loss, outputs);
  std::vector<int64_t> all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  return make_batch(samples, all, device);
}

// "conv1d_2 … max_pool1d_2".
std::string label_of(const ProfileRow& row) {
  if (row.layers.size() < 2) return row.name;
  return fmt::format("{} … {}", row.layers.front(), row.layers.back());
}

double limit_of(const ProfileRow& row) {
  return row.seconds() > 0 ? (least_seconds(row.forward) + least_seconds(row.backward)) / row.seconds() : 0;
}

Json row_json(const ProfileRow& row) {
  const Cost cost = row.forward + row.backward;
  const MachineLimits& limits = machine_limits();
  const double flops = static_cast<double>(cost.flops) / row.seconds();
  const double bytes = static_cast<double>(cost.bytes) / row.seconds();
  return {{"name", row.name},
          {"layers", row.layers},
          {"fused", row.layers.size() > 1},
          {"seconds", row.seconds()},
          {"forward_seconds", row.forward_seconds},
          {"backward_seconds", row.backward_seconds},
          {"flops", cost.flops},
          {"bytes", cost.bytes},
          {"flops_per_second", flops},
          {"bytes_per_second", bytes},
          {"fma", flops / limits.flops_per_second},
          {"copy", bytes / limits.copy_bytes_per_second},
          {"limit", limit_of(row)},
          {"bound_by", cost.flops + cost.bytes == 0 ? ""
                       : bound_by_memory(cost)      ? "memory"
                                                    : "multiply-adds"},
          {"kept_bytes", row.kept_bytes}};
}

void print_profile_json(const Options& options, const Config& config, const StepProfile& profile) {
  const MachineLimits& limits = machine_limits();
  Json object{{"recipe", options.recipe},
              {"model", network_name(config)},
              {"device", options.device},
              {"batch", config.train.batch},
              {"fused", config.train.fuse},
              {"processor", devices().front().name},
              {"simd", simd_name()},
              {"threads", thread_pool().threads()},
              {"ceilings",
               {{"fma_flops_per_second", limits.flops_per_second},
                {"read_bytes_per_second", limits.read_bytes_per_second},
                {"write_bytes_per_second", limits.write_bytes_per_second},
                {"copy_bytes_per_second", limits.copy_bytes_per_second}}},
              {"step_seconds", profile.seconds},
              {"rows_seconds", profile.rows_seconds()},
              {"plain_step_seconds", profile.plain_seconds},
              {"peak_bytes", profile.peak_bytes},
              {"resident_bytes", profile.resident_bytes},
              {"rows", Json::array()},
              {"memory", Json::array()}};
  for (const ProfileRow& row : profile.rows) object["rows"].push_back(row_json(row));
  for (const ProfileEvent& event : profile.events)
    object["memory"].push_back({{"seconds", event.start + event.seconds},
                                {"row", profile.rows[event.row].name},
                                {"backward", event.backward},
                                {"bytes_in_use", event.bytes_in_use}});
  print_json(object);
}

std::string megabytes(int64_t bytes) {
  return fmt::format("{:.1f}", static_cast<double>(bytes) / 1e6);
}

std::string percent(double share) {
  return fmt::format("{:.0f}%", 100 * share);
}

std::vector<std::string> table_row(const ProfileRow& row, double step_seconds) {
  const Cost cost = row.forward + row.backward;
  std::vector<std::string> cells{label_of(row), fmt::format("{:.2f}", 1e3 * row.forward_seconds),
                                 fmt::format("{:.2f}", 1e3 * row.backward_seconds),
                                 percent(row.seconds() / step_seconds)};
  if (cost.flops + cost.bytes == 0) {
    cells.resize(11);
    return cells;
  }
  const double flops = static_cast<double>(cost.flops), bytes = static_cast<double>(cost.bytes);
  for (const std::string& cell :
       {fmt::format("{:.2f}", flops / 1e9), fmt::format("{:.0f}", flops / 1e9 / row.seconds()), megabytes(cost.bytes),
        fmt::format("{:.1f}", bytes / 1e9 / row.seconds()), percent(limit_of(row)),
        std::string(bound_by_memory(cost) ? "memory" : "multiply-adds"), megabytes(row.kept_bytes)})
    cells.push_back(cell);
  return cells;
}

void print_profile(const Config& config, const StepProfile& profile) {
  const MachineLimits& limits = machine_limits();
  std::vector<std::vector<std::string>> rows{{"layers", "forward ms", "backward ms", "share", "GFLOP", "GFLOP/s", "MB",
                                              "GB/s", "of limit", "bound by", "kept MB"}};
  for (const ProfileRow& row : profile.rows) rows.push_back(table_row(row, profile.seconds));
  fmt::print(
      "{}, a training step of {} samples; {}, {}, {} threads: {:.0f} GFLOP/s of multiply-adds; GB/s: {:.1f} read, "
      "{:.1f} written, {:.1f} copied\n\n{}\n",
      network_name(config), config.train.batch, devices().front().name, simd_name(), thread_pool().threads(),
      limits.flops_per_second / 1e9, limits.read_bytes_per_second / 1e9, limits.write_bytes_per_second / 1e9,
      limits.copy_bytes_per_second / 1e9, format_table(rows));
  fmt::print("the rows sum to {:.3f} ms, the step took {:.3f} ms; without watching it {:.3f} ms\n",
             1e3 * profile.rows_seconds(), 1e3 * profile.seconds, 1e3 * profile.plain_seconds);
  fmt::print("memory: {} MB between steps, {} MB at the peak\n", megabytes(profile.resident_bytes),
             megabytes(profile.peak_bytes));
}

void run(const Options& options) {
  const Config config = configure(options);
  const Device device = use_device(options);
  Sequential network = build_network(config, device);
  TrainingStep step(network, config.train, loss_options(config.train));
  const Batch batch = random_batch(config, network, device);
  const StepProfile profile = profile_training(network, step, batch, config.train.learning_rate, options.steps);
  if (!options.trace.empty())
    write_file_atomically(options.trace, format_trace(profile, "melgrad profile: " + options.recipe));
  options.json ? print_profile_json(options, config, profile) : print_profile(config, profile);
}

}  // namespace

void add_profile_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("profile", "one training step layer by layer: time, flops, bytes, memory");
  auto options = std::make_shared<Options>();
  command->add_option("--recipe", options->recipe, "one that melgrad recipes lists, or a .toml file")->required();
  command->add_option("--set", options->settings, "section.key=value, over the recipe's: train.batch, say")
      ->allow_extra_args(false);
  command->add_option("--input", options->input, "shape of a sample, as 130,13,1; the model's published one by default")
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  command->add_option("--steps", options->steps, "steps to choose the one of median time from")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--trace", options->trace, "write the step's course for ui.perfetto.dev or chrome://tracing");
  command->add_flag("--no-fuse", options->no_fuse, "run every layer by itself");
  add_device_options(*command, *options);
  add_json_option(*command, *options);
  command->callback([options] { run(*options); });
}

}  // namespace melgrad
