// The [train] keys of a recipe.
#pragma once

#include <memory>

#include "layers/loss.h"
#include "optim/adam.h"
#include "optim/sgd.h"

namespace melgrad {

enum class OptimizerKind : uint8_t { sgd, adam };

template <>
inline constexpr EnumNames<OptimizerKind, 2> enum_names<OptimizerKind>{
    {{OptimizerKind::sgd, "sgd"}, {OptimizerKind::adam, "adam"}}};

struct TrainOptions {
  Loss loss = Loss::cross_entropy;
  OptimizerKind optimizer = OptimizerKind::adam;
  OptimizerVariant variant = OptimizerVariant::keras;
  double learning_rate = 1e-3;
  double momentum = 0;    // sgd
  bool nesterov = false;  // sgd
  double beta1 = 0.9;     // adam
  double beta2 = 0.999;   // adam
  double epsilon = 1e-7;  // adam
  double weight_decay = 0;
  int64_t batch = 32;
  int64_t epochs = 50;
  bool shuffle = true;
  int64_t patience = 0;         // stop after so many epochs without a better validation loss; 0: never
  bool shuffle_labels = false;  // a control: training and validation labels at random, so test accuracy must be chance
  uint64_t seed = 0;            // of the initial weights, the split, the order of samples and the dropout masks

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("loss", self.loss);
    field("optimizer", self.optimizer);
    field("variant", self.variant);
    field("learning_rate", self.learning_rate);
    field("momentum", self.momentum);
    field("nesterov", self.nesterov);
    field("beta1", self.beta1);
    field("beta2", self.beta2);
    field("epsilon", self.epsilon);
    field("weight_decay", self.weight_decay);
    field("batch", self.batch);
    field("epochs", self.epochs);
    field("shuffle", self.shuffle);
    field("patience", self.patience);
    field("shuffle_labels", self.shuffle_labels);
    field("seed", self.seed);
  }
};

// Throws Error naming the key for values that make no sense.
void validate(const TrainOptions& options);

std::unique_ptr<Optimizer> make_optimizer(const TrainOptions& options, std::vector<Parameter> parameters);

}  // namespace melgrad
