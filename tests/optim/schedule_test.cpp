// Learning rates against PyTorch's and Keras's schedules (tests/golden/make_layer_cases.py), and the staged schedule.
#include "optim/schedule.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tensor/io/safetensors.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad {
namespace {

using test::all_close;
using Values = std::vector<double>;

const std::map<std::string, Tensor>& golden() {
  static const TensorFile file = load_safetensors(std::filesystem::path(MELGRAD_TEST_DATA) / "layer_cases.safetensors");
  return file.tensors;
}

Values expected(const std::string& name) {
  return test::values_of(golden().at("schedule/" + name));
}

// The rate of each step of a training.
Values rates(const Schedule& schedule, int64_t steps, int64_t steps_per_epoch, int64_t epochs) {
  validate(schedule);
  Values all;
  for (int64_t step = 0; step < steps; ++step)
    all.push_back(scheduled_rate(schedule, 0.1, {.step = step, .steps_per_epoch = steps_per_epoch, .epochs = epochs}));
  return all;
}

// The rate of each epoch, from the validation losses before it.
Values rates_by_losses(const Schedule& schedule, const Values& losses) {
  Values all;
  for (std::size_t epoch = 0; epoch < losses.size(); ++epoch)
    all.push_back(scheduled_rate(schedule, 0.1, {.valid_losses = std::span(losses).first(epoch)}));
  return all;
}

TEST_CASE("schedules follow PyTorch's and Keras's") {
  CHECK(all_close(rates({.kind = ScheduleKind::step, .factor = 0.5, .every = 3}, 12, 1, 12), expected("step"), 1e-12));
  CHECK(
      all_close(rates({.kind = ScheduleKind::exponential, .factor = 0.7}, 12, 1, 12), expected("exponential"), 1e-12));
  CHECK(all_close(rates({.kind = ScheduleKind::inverse_time, .decay = 0.2}, 24, 4, 6), expected("inverse_time"), 1e-8));
  CHECK(all_close(rates({.kind = ScheduleKind::cosine, .minimum = 0.01}, 25, 4, 6), expected("cosine"), 1e-12));
  CHECK(all_close(rates({.kind = ScheduleKind::one_cycle}, 24, 4, 6), expected("one_cycle"), 1e-12));
  CHECK(rates({}, 3, 1, 3) == Values{0.1, 0.1, 0.1});
  // All steps of an epoch have the epoch's rate.
  const Values by_epoch = rates({.kind = ScheduleKind::step, .factor = 0.5, .every = 3}, 24, 2, 12);
  for (std::size_t step = 0; step < 24; ++step) CHECK(std::abs(by_epoch[step] - expected("step")[step / 2]) < 1e-15);
  const Values falling = rates({.kind = ScheduleKind::exponential, .factor = 0.7}, 24, 2, 12);
  for (std::size_t step = 0; step < 24; ++step)
    CHECK(std::abs(falling[step] - expected("exponential")[step / 2]) < 1e-12);
}

TEST_CASE(
    "a plateau: exactly 1e-4 better is not better, a NaN is not either, a minimum above the rate does not raise it") {
  const Schedule plateau{.kind = ScheduleKind::plateau, .patience = 1};
  CHECK(all_close(rates_by_losses(plateau, {1, 1 - 1e-4, 0}), Values{0.1, 0.1, 0.01}, 1e-15));
  const double nan = std::nan("");
  CHECK(all_close(rates_by_losses({.kind = ScheduleKind::plateau, .patience = 2}, {nan, nan, 0}),
                  Values{0.1, 0.1, 0.01}, 1e-15));
  CHECK(rates_by_losses({.kind = ScheduleKind::plateau, .minimum = 0.5, .patience = 1}, {1, 1, 1}) ==
        Values{0.1, 0.1, 0.1});
}

TEST_CASE("past the end a schedule stays at its last rate; a training may be all warm-up, or one step") {
  const Values cosine = rates({.kind = ScheduleKind::cosine, .minimum = 0.01}, 40, 4, 6);
  const Values one_cycle = rates({.kind = ScheduleKind::one_cycle}, 40, 4, 6);
  for (std::size_t step = 24; step < 40; ++step) {
    CHECK(std::abs(cosine[step] - 0.01) < 1e-15);
    CHECK(std::abs(one_cycle[step] - 0.1 / 25 / 1e4) < 1e-15);
  }
  const Values all_warmup = rates({.kind = ScheduleKind::cosine, .warmup = 3, .minimum = 0.01}, 5, 1, 3);
  CHECK(all_close(all_warmup, Values{0.1 / 3, 0.2 / 3, 0.1, 0.1, 0.01}, 1e-12));
  const Values one_left = rates({.kind = ScheduleKind::cosine, .warmup = 2, .minimum = 0.01}, 4, 1, 3);
  CHECK(all_close(one_left, Values{0.05, 0.1, 0.1, 0.01}, 1e-12));
  CHECK(all_close(rates({.kind = ScheduleKind::one_cycle}, 1, 1, 1), Values{0.1 / 25 / 1e4}, 1e-12));
}

TEST_CASE("warm-up rises to the rate, the first step having the first share, and cosine takes over") {
  const Values own = rates({.kind = ScheduleKind::cosine, .warmup = 2, .minimum = 0.01}, 24, 4, 6);
  const Values keras = expected("cosine_warmup");  // counts from 0: one step behind in the warm-up
  for (std::size_t step = 0; step < 8; ++step) CHECK(std::abs(own[step] - keras[step + 1]) < 1e-8);
  for (std::size_t step = 8; step < 24; ++step) CHECK(std::abs(own[step] - keras[step]) < 1e-8);
}

TEST_CASE("plateau is Keras's ReduceLROnPlateau") {
  const Values losses = expected("valid_losses");
  const Schedule schedule{.kind = ScheduleKind::plateau, .factor = 0.5, .patience = 2};
  CHECK(all_close(rates_by_losses(schedule, losses), expected("plateau"), 1e-7));
  const Schedule bounded{.kind = ScheduleKind::plateau, .factor = 0.5, .minimum = 0.03, .patience = 2};
  CHECK(all_close(rates_by_losses(bounded, losses), expected("plateau_minimum"), 1e-7));
  CHECK(expected("plateau") != expected("plateau_minimum"));
}

TEST_CASE("staged reduces after each stage's patience, says when to go back, and ends") {
  const Schedule schedule{.kind = ScheduleKind::staged, .factor = 0.2, .patience = 2, .stages = 3};
  const Values losses{1.0, 0.9, 0.95, 0.91, 0.8, 0.85, 0.85, 0.85, 0.85};
  //                            stage ends ^            ends ^     ends ^
  const bool reduced[] = {false, false, false, true, false, false, true, false, true};
  int64_t reductions = 0;
  for (std::size_t epochs = 1; epochs <= losses.size(); ++epochs) {
    INFO(epochs);
    const PlateauState state = plateau_state(schedule, std::span(losses).first(epochs));
    reductions += reduced[epochs - 1];
    CHECK(state.reduced_now == reduced[epochs - 1]);
    CHECK(state.reductions == reductions);
    CHECK(state.finished == (epochs == losses.size()));
  }
  CHECK(rates_by_losses(schedule, losses)[8] == doctest::Approx(0.1 * 0.2 * 0.2));
  // plateau goes on for ever; a NaN is no improvement.
  CHECK_FALSE(plateau_state({.kind = ScheduleKind::plateau, .patience = 1, .stages = 1}, losses).finished);
  const Values broken{1.0, std::nan(""), std::nan("")};
  CHECK(plateau_state(schedule, broken).reductions == 1);
}

TEST_CASE("schedules refuse numbers that make no sense") {
  for (const Schedule& schedule : {Schedule{.factor = 0}, Schedule{.factor = 1.5}, Schedule{.factor = std::nan("")},
                                   Schedule{.every = 0}, Schedule{.decay = -1}, Schedule{.warmup = -1},
                                   Schedule{.minimum = -1}, Schedule{.patience = 0}, Schedule{.stages = 0}})
    CHECK_THROWS_AS(validate(schedule), Error);
}

}  // namespace
}  // namespace melgrad
