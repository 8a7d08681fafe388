// melgrad export RUN: a trained network in another program's format.
#include <fmt/format.h>

#include <memory>

#include "apps/command.h"
#include "apps/run_folder.h"
#include "models/interchange/onnx_export.h"
#include "tensor/io/atomic_file.h"

namespace melgrad {
namespace {

struct Options : CommonOptions {
  std::string run, onnx;
};

void run_export(const Options& options) {
  const TrainedNetwork trained = load_trained(options.run, {}, Device::cpu);
  const std::string bytes = export_onnx(trained.network, network_name(trained.config),
                                        {{"labels", Json(trained.config.labels).dump()},
                                         {"frontend", format_options(trained.config.frontend)},
                                         {"melgrad", MELGRAD_VERSION}});
  write_file_atomically(options.onnx, bytes);
  if (options.json) {
    print_json({{"run", options.run}, {"onnx", options.onnx}, {"bytes", bytes.size()}});
  } else {
    fmt::print("{}: {}, {:.1f} MB; input {} and output {} behind a free batch, float32\n", options.onnx,
               network_name(trained.config), static_cast<double>(bytes.size()) / 1e6,
               trained.network.input_shape().to_string(), trained.network.output_shape().to_string());
  }
}

}  // namespace

void add_export_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("export", "a trained network in another program's format");
  auto options = std::make_shared<Options>();
  command->add_option("RUN", options->run, "the folder of a run")->required();
  command->add_option("--onnx", options->onnx, "the ONNX file to write")->required();
  add_json_option(*command, *options);
  command->callback([options] { run_export(*options); });
}

}  // namespace melgrad
