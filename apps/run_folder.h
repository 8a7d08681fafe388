// The folder of a training run, from the side of those who use what was trained.
#pragma once

#include "apps/config.h"
#include "apps/evaluation.h"
#include "apps/load_data.h"

namespace melgrad {

// A run's network with its best weights, and how it was made.
struct TrainedNetwork {
  Config config;
  Sequential network;
};

// Throws Error naming the folder if it holds no run, or none that has finished an epoch.
TrainedNetwork load_trained(const std::filesystem::path& folder, const std::vector<std::string>& settings,
                            Device device);

// The network of a configuration whose labels and input are known, with its initial weights.
Sequential build_network(const Config& config, Device device);

}  // namespace melgrad
