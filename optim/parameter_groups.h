// Groups of parameters by name: factors of the learning rate, and of weight decay and L2.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "optim/optimizer.h"

namespace melgrad {

struct ParameterGroup {
  std::string match;       // names, as a shell matches files: "*.bias", "conv2d_[12].*"
  double rate_scale = 1;   // of the learning rate that the schedule gives; 0: the parameter stays as it is
  double decay_scale = 1;  // of weight decay and L2

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("match", self.match);
    field("rate_scale", self.rate_scale);
    field("decay_scale", self.decay_scale);
  }
};

// Throws Error naming the field for values that make no sense.
void validate(const ParameterGroup& group);

// Gives each parameter the factors of the first group that matches its name. A group that matches no name at all is an
// error: a slip of the pen would change the training unseen.
void apply_groups(std::span<const ParameterGroup> groups, std::vector<Parameter>& parameters);

}  // namespace melgrad
