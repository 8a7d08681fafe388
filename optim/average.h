// The exponential moving average of weights, which often predicts better than the weights: Polyak and Juditsky, 1992;
// as used, Tarvainen and Valpola, NeurIPS 2017.
#pragma once

#include "optim/optimizer.h"

namespace melgrad {

// average ← decay·average + (1 - decay)·weight after each step, starting from the weights themselves.
class MovingAverage {
 public:
  MovingAverage(std::vector<Parameter> parameters, double decay);

  void update();
  // Exchanges weights and averages: once to evaluate, once more to go on.
  void swap();

  // For checkpoints, by parameter name.
  const std::map<std::string, Tensor>& state() const { return averages_; }
  void load(const std::map<std::string, Tensor>& state, const std::string& source);

 private:
  std::vector<Parameter> parameters_;
  double decay_;
  std::map<std::string, Tensor> averages_;
};

}  // namespace melgrad
