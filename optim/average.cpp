#include "optim/average.h"

#include "kernels/elementwise.h"
#include "kernels/memory.h"

namespace melgrad {

MovingAverage::MovingAverage(std::vector<Parameter> parameters, double decay)
    : parameters_(std::move(parameters)), decay_(decay) {
  require(decay >= 0 && decay < 1, "moving average: decay {}, expected 0 or more and below 1", decay);
  for (const Parameter& parameter : parameters_) averages_[parameter.name] = parameter.tensor.clone();
}

void MovingAverage::update() {
  for (const Parameter& parameter : parameters_) {
    Tensor& average = averages_.at(parameter.name);
    Tensor share = Tensor::empty_like(average);
    const View sum = average.mutable_view();
    elementwise_scale(average.stream(), 1 - decay_, parameter.tensor.view(), share.mutable_view());
    elementwise_scale(average.stream(), decay_, sum, sum);
    elementwise_binary(average.stream(), Binary::add, sum, share.view(), sum);
  }
}

void MovingAverage::swap() {
  for (Parameter& parameter : parameters_) {
    Tensor& average = averages_.at(parameter.name);
    const Tensor weight = parameter.tensor.clone();
    copy(average.view(), parameter.tensor.mutable_view());
    copy(weight.view(), average.mutable_view());
  }
}

void MovingAverage::load(const std::map<std::string, Tensor>& state, const std::string& source) {
  for (const auto& [name, average] : averages_) {
    const auto found = state.find(name);
    require(
        found != state.end() && found->second.shape() == average.shape() && found->second.dtype() == average.dtype(),
        "{}: no moving average of '{}', or another shape", source, name);
  }
  for (auto& [name, average] : averages_) copy(state.at(name).view(), average.mutable_view());
}

}  // namespace melgrad
