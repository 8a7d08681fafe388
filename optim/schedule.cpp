#include "optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace melgrad {
namespace {

// From `a` to `b` along half a cosine, at 0 … 1.
double half_cosine(double a, double b, double position) {
  return b + (a - b) * 0.5 * (1 + std::cos(std::numbers::pi * position));
}

double cosine_rate(const Schedule& schedule, double rate, double step, double warmup, double total) {
  if (step < warmup) return rate * (step + 1) / warmup;
  const double position = (step - warmup) / std::max(1.0, total - warmup);
  return half_cosine(rate, schedule.minimum, std::min(1.0, position));
}

double one_cycle_rate(double rate, double step, double total) {
  const double start = rate / 25, end = start / 1e4;
  const double peak = 0.3 * total - 1, last = total - 1;
  if (step <= peak) return half_cosine(start, rate, step / peak);  // peak is not 0: 0.3 of a whole number is not 1
  return half_cosine(rate, end, std::min(1.0, (step - peak) / (last - peak)));
}

}  // namespace

void validate(const Schedule& schedule) {
  require(schedule.factor > 0 && schedule.factor <= 1, "schedule: factor {}, expected above 0 and at most 1",
          schedule.factor);
  require(schedule.every >= 1, "schedule: every {} epochs, expected at least 1", schedule.every);
  require(schedule.decay >= 0, "schedule: decay {}, expected 0 or more", schedule.decay);
  require(schedule.warmup >= 0, "schedule: warmup of {} epochs, expected 0 or more", schedule.warmup);
  require(schedule.minimum >= 0, "schedule: minimum {}, expected 0 or more", schedule.minimum);
  require(schedule.patience >= 1, "schedule: patience of {} epochs, expected at least 1", schedule.patience);
  require(schedule.stages >= 1, "schedule: {} stages, expected at least 1", schedule.stages);
}

PlateauState plateau_state(const Schedule& schedule, std::span<const double> valid_losses) {
  constexpr double least_gain = 1e-4;
  PlateauState state;
  double best = std::numeric_limits<double>::infinity();
  int64_t waited = 0;
  for (double loss : valid_losses) {
    state.reduced_now = false;
    if (loss < best - least_gain) {
      best = loss;
      waited = 0;
    } else if (++waited >= schedule.patience) {
      ++state.reductions;
      state.reduced_now = true;
      waited = 0;
    }
  }
  state.finished = schedule.kind == ScheduleKind::staged && state.reductions >= schedule.stages;
  return state;
}

double scheduled_rate(const Schedule& schedule, double rate, const TrainingPosition& position) {
  const auto epoch = static_cast<double>(position.step / position.steps_per_epoch);
  const auto step = static_cast<double>(position.step);
  const auto total = static_cast<double>(position.epochs * position.steps_per_epoch);
  switch (schedule.kind) {
    case ScheduleKind::constant:
      return rate;
    case ScheduleKind::step:
      return rate * std::pow(schedule.factor, std::floor(epoch / static_cast<double>(schedule.every)));
    case ScheduleKind::exponential:
      return rate * std::pow(schedule.factor, epoch);
    case ScheduleKind::inverse_time:
      return rate / (1 + schedule.decay * step);
    case ScheduleKind::cosine:
      return cosine_rate(schedule, rate, step, static_cast<double>(schedule.warmup * position.steps_per_epoch), total);
    case ScheduleKind::one_cycle:
      return one_cycle_rate(rate, step, total);
    case ScheduleKind::plateau:
    case ScheduleKind::staged: {
      const auto reductions = static_cast<double>(plateau_state(schedule, position.valid_losses).reductions);
      return std::max(std::min(rate, schedule.minimum), rate * std::pow(schedule.factor, reductions));
    }
  }
  fail("schedule: unknown");
}

}  // namespace melgrad
