// What stands beside an optimizer: clipping, moving averages.
#include "optim/average.h"

#include <doctest/doctest.h>

#include <cmath>

#include "optim/clip.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad {
namespace {

using test::all_close;
using test::values_of;
using Values = std::vector<double>;

Parameter parameter(const std::string& name, const Values& values, DType dtype = DType::f64) {
  const Shape shape{static_cast<int64_t>(values.size())};
  Tensor tensor = dtype == DType::f64 ? Tensor::from(values, shape)
                                      : Tensor::from(std::vector<float>(values.begin(), values.end()), shape);
  return {name, tensor.set_requires_grad()};
}

TEST_CASE("a moving average follows the weights, and changes places with them") {
  for (DType dtype : {DType::f64, DType::f32}) {
    std::vector<Parameter> weights{parameter("w", {1, 2}, dtype)};
    MovingAverage average(weights, 0.75);
    const auto set = [&](double a, double b) {
      dtype == DType::f64 ? void(weights[0].tensor.mutable_data<double>()[0] = a)
                          : void(weights[0].tensor.mutable_data<float>()[0] = static_cast<float>(a));
      dtype == DType::f64 ? void(weights[0].tensor.mutable_data<double>()[1] = b)
                          : void(weights[0].tensor.mutable_data<float>()[1] = static_cast<float>(b));
    };
    set(5, 4);
    average.update();  // 0.75·1 + 0.25·5, 0.75·2 + 0.25·4
    CHECK(values_of(average.state().at("w")) == Values{2, 2.5});
    set(0, 0);
    average.update();
    CHECK(values_of(average.state().at("w")) == Values{1.5, 1.875});
    average.swap();
    CHECK(values_of(weights[0].tensor) == Values{1.5, 1.875});
    CHECK(values_of(average.state().at("w")) == Values{0, 0});
    average.swap();
    CHECK(values_of(weights[0].tensor) == Values{0, 0});
    // Saved and loaded, it goes on to the same bits.
    std::map<std::string, Tensor> saved{{"w", average.state().at("w").clone()}};
    MovingAverage other(weights, 0.75);
    other.load(saved, "some file");
    average.update();
    other.update();
    CHECK(values_of(average.state().at("w")) == values_of(other.state().at("w")));
    CHECK_THROWS_WITH_AS(other.load({}, "some file"), "some file: no moving average of 'w', or another shape", Error);
    CHECK_THROWS_AS(other.load({{"w", Tensor::zeros({3}, dtype)}}, "some file"), Error);
  }
  const std::vector<Parameter> weights{parameter("w", {1})};
  for (double decay : {-0.1, 1.0, std::nan("")}) CHECK_THROWS_AS(MovingAverage(weights, decay), Error);
}

TEST_CASE("clipping: by the common norm, by each norm, by value") {
  const auto gradients = [](const auto& clip) {
    std::vector<Parameter> parameters{parameter("a", {0, 0}), parameter("b", {0}), parameter("none", {0})};
    parameters[0].tensor.set_grad(Tensor::from(Values{3, -4}, {2}));
    parameters[1].tensor.set_grad(Tensor::from(Values{12}, {1}));
    clip(parameters);
    CHECK_FALSE(parameters[2].tensor.grad().defined());
    Values all = values_of(parameters[0].tensor.grad());
    all.push_back(values_of(parameters[1].tensor.grad())[0]);
    return all;
  };
  double norm = 0;
  const auto common = [&](double limit) {
    return gradients([&](std::vector<Parameter>& p) { norm = clip_by_global_norm(p, limit); });
  };
  CHECK(all_close(common(6.5), {1.5, -2, 6}, 1e-12));
  CHECK(norm == doctest::Approx(13));
  CHECK(common(13.5) == Values{3, -4, 12});
  CHECK(all_close(gradients([](std::vector<Parameter>& p) { clip_each_by_norm(p, 6); }), {3, -4, 6}, 1e-12));
  CHECK(gradients([](std::vector<Parameter>& p) { clip_by_value(p, 3.5); }) == Values{3, -3.5, 3.5});
  std::vector<Parameter> single{{.name = "f32", .tensor = Tensor::zeros({2}).set_requires_grad()}};
  single[0].tensor.set_grad(Tensor::from(std::vector<float>{3, -4}, {2}));
  clip_by_value(single, 3.5);
  CHECK(values_of(single[0].tensor.grad()) == Values{3, -3.5});
  for (double limit : {0.0, -1.0, std::nan("")}) {
    std::vector<Parameter> none;
    CHECK_THROWS_AS(clip_by_global_norm(none, limit), Error);
    CHECK_THROWS_AS(clip_each_by_norm(none, limit), Error);
    CHECK_THROWS_AS(clip_by_value(none, limit), Error);
  }
}

}  // namespace
}  // namespace melgrad
