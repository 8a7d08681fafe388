#include "optim/clip.h"

#include <algorithm>
#include <cmath>

#include "kernels/elementwise.h"
#include "tensor/autograd.h"
#include "tensor/ops/movement.h"
#include "tensor/ops/reduce.h"
#include "tensor/ops/reshape.h"
#include "tensor/ops/unary.h"

namespace melgrad {
namespace {

// Σ g² of each gradient there is. They come to the host together: a GPU is asked once.
std::vector<double> square_norms(const std::vector<Parameter>& parameters) {
  const NoGrad no_grad;
  std::vector<Tensor> sums;
  for (const Parameter& parameter : parameters) {
    const Tensor gradient = parameter.tensor.grad();
    if (gradient.defined()) sums.push_back(reshape(sum(square(gradient.detach())), {1}));
  }
  if (sums.empty()) return {};
  const Tensor all = concatenate(sums, 0).to(Device::cpu);
  if (all.dtype() == DType::f64) return {all.data<double>().begin(), all.data<double>().end()};
  return {all.data<float>().begin(), all.data<float>().end()};
}

void scale_gradient(Parameter& parameter, double factor) {
  Tensor gradient = parameter.tensor.grad();
  const View view = gradient.mutable_view();
  elementwise_scale(gradient.stream(), factor, view, view);
}

template <class T>
void clip_elements(std::span<T> values, double limit) {
  for (T& value : values) value = std::clamp(value, static_cast<T>(-limit), static_cast<T>(limit));  // a NaN stays
}

}  // namespace

double gradient_norm(const std::vector<Parameter>& parameters) {
  double total = 0;
  for (double square : square_norms(parameters)) total += square;
  return std::sqrt(total);
}

double clip_by_global_norm(std::vector<Parameter>& parameters, double limit) {
  require(limit > 0, "clip: norm {}, expected a positive number", limit);
  const double norm = gradient_norm(parameters);
  if (norm > limit) {
    for (Parameter& parameter : parameters)
      if (parameter.tensor.grad().defined()) scale_gradient(parameter, limit / norm);
  }
  return norm;
}

void clip_each_by_norm(std::vector<Parameter>& parameters, double limit) {
  require(limit > 0, "clip: norm {}, expected a positive number", limit);
  const std::vector<double> squares = square_norms(parameters);
  auto square = squares.begin();
  for (Parameter& parameter : parameters) {
    if (!parameter.tensor.grad().defined()) continue;
    const double norm = std::sqrt(*square);
    ++square;
    if (norm > limit) scale_gradient(parameter, limit / norm);
  }
}

void clip_by_value(std::vector<Parameter>& parameters, double limit) {
  require(limit > 0, "clip: value {}, expected a positive number", limit);
  for (Parameter& parameter : parameters) {
    if (!parameter.tensor.grad().defined()) continue;
    Tensor host = parameter.tensor.grad().to(Device::cpu);
    host.dtype() == DType::f64 ? clip_elements(host.mutable_data<double>(), limit)
                               : clip_elements(host.mutable_data<float>(), limit);
    parameter.tensor.set_grad(host.to(parameter.tensor.device()));
  }
}

}  // namespace melgrad
