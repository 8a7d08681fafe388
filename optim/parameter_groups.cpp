#include "optim/parameter_groups.h"

#include <fnmatch.h>

#include <algorithm>

namespace melgrad {
namespace {

bool matches(const ParameterGroup& group, const Parameter& parameter) {
  return fnmatch(group.match.c_str(), parameter.name.c_str(), 0) == 0;
}

}  // namespace

void validate(const ParameterGroup& group) {
  require(!group.match.empty(), "match: empty; expected a pattern of parameters' names, such as \"*.bias\"");
  require(group.rate_scale >= 0, "rate_scale: {}, expected 0 or more", group.rate_scale);  // a NaN is not
  require(group.decay_scale >= 0, "decay_scale: {}, expected 0 or more", group.decay_scale);
}

void apply_groups(std::span<const ParameterGroup> groups, std::vector<Parameter>& parameters) {
  for (const ParameterGroup& group : groups) {
    validate(group);
    const auto in_group = [&](const Parameter& parameter) { return matches(group, parameter); };
    if (std::none_of(parameters.begin(), parameters.end(), in_group)) {
      std::string names;
      for (const Parameter& parameter : parameters) names += (names.empty() ? "" : ", ") + parameter.name;
      fail("no parameter's name matches '{}'; there is {}", group.match, names);
    }
  }
  for (Parameter& parameter : parameters) {
    const auto in = [&](const ParameterGroup& candidate) { return matches(candidate, parameter); };
    const auto group = std::find_if(groups.begin(), groups.end(), in);
    if (group == groups.end()) continue;
    parameter.rate_scale = group->rate_scale;
    parameter.decay_scale = group->decay_scale;
  }
}

}  // namespace melgrad
