#include "optim/parameter_groups.h"

#include <doctest/doctest.h>

namespace melgrad {
namespace {

std::vector<Parameter> parameters() {
  std::vector<Parameter> all;
  for (const char* name : {"conv2d_1.weight", "conv2d_1.bias", "conv2d_2.weight", "dense_1.bias"})
    all.push_back({.name = name, .tensor = Tensor::zeros({1}).set_requires_grad()});
  return all;
}

TEST_CASE("a parameter takes the factors of the first group that matches its name") {
  std::vector<Parameter> all = parameters();
  all[2].rate_scale = 7;  // of no group: left as it was
  const ParameterGroup groups[] = {{.match = "conv2d_1.*", .rate_scale = 0.5},
                                   {.match = "*.bias", .rate_scale = 2, .decay_scale = 0}};
  apply_groups(groups, all);
  const double expected[][2] = {{0.5, 1}, {0.5, 1}, {7, 1}, {2, 0}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    INFO(all[i].name);
    CHECK(all[i].rate_scale == expected[i][0]);
    CHECK(all[i].decay_scale == expected[i][1]);
  }
  apply_groups({}, all);
  CHECK(all[3].rate_scale == 2);
}

TEST_CASE("a star in a group's pattern stands for any text, slashes and dots too") {
  std::vector<Parameter> all = parameters();
  all[0].name = "branches/residual_1.body.bias";
  apply_groups(std::vector<ParameterGroup>{{.match = "*.bias", .rate_scale = 3}}, all);
  CHECK(all[0].rate_scale == 3);
  CHECK(all[2].rate_scale == 1);
}

TEST_CASE("groups that make no sense, or match nothing, are refused") {
  const auto refused = [](const ParameterGroup& group, const char* message) {
    std::vector<Parameter> all = parameters();
    CHECK_THROWS_WITH_AS(apply_groups({&group, 1}, all), message, Error);
    CHECK(all[0].rate_scale == 1);
  };
  refused({.match = "gru*"},
          "no parameter's name matches 'gru*'; there is conv2d_1.weight, conv2d_1.bias, conv2d_2.weight, dense_1.bias");
  refused({}, "match: empty; expected a pattern of parameters' names, such as \"*.bias\"");
  refused({.match = "*", .rate_scale = -1}, "rate_scale: -1, expected 0 or more");
  refused({.match = "*", .decay_scale = -1}, "decay_scale: -1, expected 0 or more");
  CHECK_NOTHROW(validate(ParameterGroup{.match = "*", .rate_scale = 0, .decay_scale = 0}));
}

}  // namespace
}  // namespace melgrad
