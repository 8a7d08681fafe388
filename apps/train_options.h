// The [train] keys of a recipe.
#pragma once

#include <memory>

#include "kernels/sgd.h"
#include "layers/loss.h"
#include "optim/optimizer.h"
#include "optim/parameter_groups.h"
#include "optim/schedule.h"

namespace melgrad {

enum class OptimizerKind : uint8_t { sgd, adam, adamw, adadelta, rmsprop };

template <>
inline constexpr EnumNames<OptimizerKind, 5> enum_names<OptimizerKind>{{{OptimizerKind::sgd, "sgd"},
                                                                        {OptimizerKind::adam, "adam"},
                                                                        {OptimizerKind::adamw, "adamw"},
                                                                        {OptimizerKind::adadelta, "adadelta"},
                                                                        {OptimizerKind::rmsprop, "rmsprop"}}};

enum class ClassWeight : uint8_t {
  none,
  balanced,  // n / (classes · samples of the class): as scikit-learn's
};

template <>
inline constexpr EnumNames<ClassWeight, 2> enum_names<ClassWeight>{
    {{ClassWeight::none, "none"}, {ClassWeight::balanced, "balanced"}}};

struct TrainOptions {
  Loss loss = Loss::cross_entropy;
  OptimizerKind optimizer = OptimizerKind::adam;
  OptimizerVariant variant = OptimizerVariant::keras;
  double learning_rate = 1e-3;
  LossReduction reduction = LossReduction::mean;
  TargetScale target_scale = TargetScale::as_given;  // cross-entropy with several labels a sample: sum_to_one
  ClassWeight class_weight = ClassWeight::none;
  double momentum = 0;      // sgd, rmsprop
  bool nesterov = false;    // sgd
  double beta1 = 0.9;       // adam, adamw
  double beta2 = 0.999;     // adam, adamw
  bool amsgrad = false;     // adam, adamw
  double rho = 0;           // adadelta, rmsprop; 0: the variant's own default
  bool centred = false;     // rmsprop
  double epsilon = 0;       // all but sgd; 0: the variant's own default
  double weight_decay = 0;  // as the variant has it: keras, and adamw, decoupled; pytorch's others as `l2`
  double l2 = 0;            // added to the gradient: l2 · weight
  double clip_norm = 0;     // of all gradients together; 0: none
  double clip_value = 0;    // of each element; 0: none
  double average = 0;       // decay of a moving average of the weights, which is then evaluated and kept; 0: none
  ScheduleKind schedule = ScheduleKind::constant;
  double schedule_factor = 0.1;
  int64_t schedule_every = 10;  // epochs
  double schedule_decay = 0;    // a step
  int64_t schedule_warmup = 0;  // epochs
  double schedule_minimum = 0;
  int64_t schedule_patience = 10;  // epochs
  int64_t schedule_stages = 5;
  int64_t batch = 32;
  int64_t epochs = 50;
  bool shuffle = true;
  int64_t patience = 0;         // stop after so many epochs without a better validation loss; 0: never
  bool shuffle_labels = false;  // a control: training and validation labels at random, so test accuracy must be chance
  bool fuse = true;             // neighbouring layers as one operation; no setting of a recipe
  std::vector<ParameterGroup> groups{};  // [[train.group]] tables: other rates and decays for some parameters
  uint64_t seed = 0;  // of the initial weights, the split, the order of samples and the dropout masks

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("loss", self.loss);
    field("optimizer", self.optimizer);
    field("variant", self.variant);
    field("learning_rate", self.learning_rate);
    field("reduction", self.reduction);
    field("target_scale", self.target_scale);
    field("class_weight", self.class_weight);
    field("momentum", self.momentum);
    field("nesterov", self.nesterov);
    field("beta1", self.beta1);
    field("beta2", self.beta2);
    field("amsgrad", self.amsgrad);
    field("rho", self.rho);
    field("centred", self.centred);
    field("epsilon", self.epsilon);
    field("weight_decay", self.weight_decay);
    field("l2", self.l2);
    field("clip_norm", self.clip_norm);
    field("clip_value", self.clip_value);
    field("average", self.average);
    field("schedule", self.schedule);
    field("schedule_factor", self.schedule_factor);
    field("schedule_every", self.schedule_every);
    field("schedule_decay", self.schedule_decay);
    field("schedule_warmup", self.schedule_warmup);
    field("schedule_minimum", self.schedule_minimum);
    field("schedule_patience", self.schedule_patience);
    field("schedule_stages", self.schedule_stages);
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

Schedule schedule_of(const TrainOptions& options);
LossOptions loss_options(const TrainOptions& options);  // without weights of classes, which the data give

// With the groups of the options.
std::unique_ptr<Optimizer> make_optimizer(const TrainOptions& options, std::vector<Parameter> parameters);

}  // namespace melgrad
