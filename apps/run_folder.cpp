#include "apps/run_folder.h"

#include "models/registry.h"
#include "tensor/io/safetensors.h"

namespace melgrad {

Sequential build_network(const Config& config, Device device) {
  Sequential network = config.layers.empty()
                           ? make_model(config.model, static_cast<int64_t>(config.labels.size()), config.model_options)
                           : make_network(config.layers);
  network.build(config.input, {.seed = config.train.seed, .device = device});
  if (network.output_shape().rank() != 1)
    fail("the network's output is {}; it must end in one axis, of classes or values",
         network.output_shape().to_string());
  return network;
}

TrainedNetwork load_trained(const std::filesystem::path& folder, const std::vector<std::string>& settings,
                            Device device) {
  Config config = load_run_config(folder, settings);
  const Config trained = load_run_config(folder);
  require(format_options(config.frontend) == format_options(trained.frontend),
          "{}: was trained with another frontend; leave frontend.* as it is", folder.string());
  TrainedNetwork result{std::move(config), {}};
  result.network = build_network(result.config, device);
  const auto weights = folder / "best.safetensors";
  require(std::filesystem::exists(weights), "{}: has no weights yet (no {}); let melgrad train finish an epoch",
          folder.string(), weights.filename().string());
  result.network.load(load_safetensors(weights).tensors, weights.string());
  return result;
}

}  // namespace melgrad
