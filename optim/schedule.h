// The learning rate over a training.
//
// A schedule is a function of where training is and of the validation losses so far, with no state of its own: a resumed
// run computes the same rates.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/enum_names.h"

namespace melgrad {

enum class ScheduleKind : uint8_t {
  constant,
  step,          // rate · factor^⌊epoch / every⌋
  exponential,   // rate · factor^epoch
  inverse_time,  // rate / (1 + decay · step): the `decay` of Keras 1 and 2
  cosine,        // linear over `warmup` epochs, then half a cosine down to `minimum`. Loshchilov and Hutter, ICLR 2017
  one_cycle,     // rate/25 up to rate over 0.3 of the steps, down to rate/250,000, both half cosines: PyTorch's form of
                 // Smith and Topin, arXiv:1708.07120
  plateau,       // · factor after `patience` epochs without a validation loss better by 1e-4: Keras's
  staged,        // the same, but each stage starts again from the best weights, and training ends after `stages`:
                 // Lee et al., "Sample-level Deep CNNs for Music Auto-tagging Using Raw Waveforms", SMC 2017
};

template <>
inline constexpr EnumNames<ScheduleKind, 8> enum_names<ScheduleKind>{{{ScheduleKind::constant, "constant"},
                                                                      {ScheduleKind::step, "step"},
                                                                      {ScheduleKind::exponential, "exponential"},
                                                                      {ScheduleKind::inverse_time, "inverse_time"},
                                                                      {ScheduleKind::cosine, "cosine"},
                                                                      {ScheduleKind::one_cycle, "one_cycle"},
                                                                      {ScheduleKind::plateau, "plateau"},
                                                                      {ScheduleKind::staged, "staged"}}};

struct Schedule {
  ScheduleKind kind = ScheduleKind::constant;
  double factor = 0.1;    // step, exponential, plateau, staged
  int64_t every = 10;     // step: epochs
  double decay = 0;       // inverse_time
  int64_t warmup = 0;     // cosine: epochs
  double minimum = 0;     // cosine, plateau
  int64_t patience = 10;  // plateau, staged: epochs
  int64_t stages = 5;     // staged
};

// Throws Error naming the number that makes no sense.
void validate(const Schedule& schedule);

// The step about to be done.
struct TrainingPosition {
  int64_t step = 0;  // from 0, over the whole training
  int64_t steps_per_epoch = 1;
  int64_t epochs = 1;                      // of the whole training
  std::span<const double> valid_losses{};  // of the epochs so far
};

double scheduled_rate(const Schedule& schedule, double rate, const TrainingPosition& position);

// What the validation losses so far say.
struct PlateauState {
  int64_t reductions = 0;    // of the rate
  bool reduced_now = false;  // by the last epoch: `staged` goes back to the best weights
  bool finished = false;     // `staged` has had all its stages
};
PlateauState plateau_state(const Schedule& schedule, std::span<const double> valid_losses);

}  // namespace melgrad
