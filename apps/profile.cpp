#include "apps/profile.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "layers/layer_watch.h"
#include "layers/step_cost.h"
#include "tensor/tape_watch.h"

namespace melgrad {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point start, Clock::time_point end) {
  return std::chrono::duration<double>(end - start).count();
}

// Listens to one step. At each moment one row runs; whatever begins ends the row before it, so that no time is lost
// between rows and none counts twice.
class Profiler {
 public:
  Profiler(const Sequential& network, Device device, int64_t batch)
      : network_(network),
        device_(device),
        batch_(batch),
        tape_([this](const Node& node) { recorded(node); }, [this](const Node& node) { walks(node); }),
        layers_([this](const Sequential& of, std::size_t first, std::size_t count) { enter(of, first, count); },
                [this](const Sequential& of, std::size_t, std::size_t) { leave(of); }) {}

  void part(const std::string& name) {
    if (name == "end") return finish();
    begin(name == "forward" || name == "backward" ? row_named("between") : row_named(name), name, name == "backward");
  }

  StepProfile take() { return std::move(profile_); }

 private:
  void recorded(const Node& node) {
    // Nodes outside of layers are the loss's.
    row_of_node_[node.sequence] = inside_ ? row_ : row_named("loss");
  }

  void walks(const Node& node) {
    const auto found = row_of_node_.find(node.sequence);
    begin(found == row_of_node_.end() ? row_named("between") : found->second, node.operation, true);
  }

  void enter(const Sequential& of, std::size_t first, std::size_t count) {
    if (&of != &network_) return;  // a network within one of our layers
    const std::span<const Sequential::Entry> entries(network_.layers().data() + first, count);
    ProfileRow row{.name = entries.front().name};
    for (const Sequential::Entry& entry : entries) row.layers.push_back(entry.name);
    row.forward = forward_cost(entries, batch_);
    row.backward = backward_cost(entries, batch_, gradient_wanted_);
    for (const Sequential::Entry& entry : entries) gradient_wanted_ = gradient_wanted_ || has_parameters(*entry.layer);
    profile_.rows.push_back(std::move(row));
    begin(profile_.rows.size() - 1, "forward", false);
    inside_ = true;
    bytes_before_ = in_use();
  }

  void leave(const Sequential& of) {
    if (&of != &network_) return;
    inside_ = false;
    profile_.rows[row_].kept_bytes = in_use() - bytes_before_;
    begin(row_named("between"), "forward", false);
  }

  // Ends the stretch that runs and begins one of `row`.
  void begin(std::size_t row, const std::string& operation, bool backward) {
    const Clock::time_point now = Clock::now();
    if (running_) end(now);
    running_ = true;
    row_ = row;
    operation_ = operation;
    backward_ = backward;
    since_ = now;
    if (profile_.events.empty()) start_ = now;
  }

  void end(Clock::time_point now) {
    const double seconds = seconds_between(since_, now);
    ProfileRow& row = profile_.rows[row_];
    (backward_ ? row.backward_seconds : row.forward_seconds) += seconds;
    profile_.events.push_back({.row = row_,
                               .operation = operation_,
                               .backward = backward_,
                               .start = seconds_between(start_, since_),
                               .seconds = seconds,
                               .bytes_in_use = in_use()});
  }

  void finish() {
    end(Clock::now());
    running_ = false;
  }

  std::size_t row_named(const std::string& name) {
    for (std::size_t i = 0; i < profile_.rows.size(); ++i)
      if (profile_.rows[i].layers.empty() && profile_.rows[i].name == name) return i;
    profile_.rows.push_back({.name = name});
    return profile_.rows.size() - 1;
  }

  int64_t in_use() const { return arena(device_).statistics().in_use; }

  const Sequential& network_;
  Device device_;
  int64_t batch_;
  StepProfile profile_;
  std::map<uint64_t, std::size_t> row_of_node_;
  std::string operation_;
  std::size_t row_ = 0;
  bool running_ = false, inside_ = false, backward_ = false, gradient_wanted_ = false;
  int64_t bytes_before_ = 0;
  Clock::time_point start_{}, since_{};
  const TapeWatch tape_;
  const LayerWatch layers_;
};

// Rows that are no layers go to the end.
void sort_rows(StepProfile& profile) {
  std::vector<std::size_t> order(profile.rows.size()), place(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_partition(order.begin(), order.end(), [&](std::size_t i) { return !profile.rows[i].layers.empty(); });
  std::vector<ProfileRow> rows;
  for (std::size_t i = 0; i < order.size(); ++i) {
    place[order[i]] = i;
    rows.push_back(std::move(profile.rows[order[i]]));
  }
  profile.rows = std::move(rows);
  for (ProfileEvent& event : profile.events) event.row = place[event.row];
}

}  // namespace

double StepProfile::rows_seconds() const {
  double total = 0;
  for (const ProfileRow& row : rows) total += row.seconds();
  return total;
}

StepProfile profile_training(Sequential& network, TrainingStep& step, const Batch& batch, double learning_rate,
                             int steps) {
  const Device device = batch.inputs.device();
  require(device != Device::cuda, "profile: times of cuda's launches say nothing of its kernels; use cpu or simt");
  StepPosition position{.learning_rate = learning_rate};
  const auto take_step = [&] {
    const Clock::time_point start = Clock::now();
    step.run(batch, position);
    ++position.step;
    return seconds_between(start, Clock::now());
  };
  for (int i = 0; i < 2; ++i) take_step();
  std::vector<double> plain;
  std::vector<StepProfile> profiles;
  const int64_t resident = arena(device).statistics().in_use;
  for (int i = 0; i < steps; ++i) {
    plain.push_back(take_step());
    arena(device).reset_peak();
    Profiler profiler(network, device, batch.inputs.shape()[0]);
    step.on_part = [&](const char* part) { profiler.part(part); };
    const double seconds = take_step();
    step.on_part = nullptr;
    profiles.push_back(profiler.take());
    profiles.back().seconds = seconds;
    profiles.back().peak_bytes = arena(device).statistics().peak_in_use;
  }
  const auto middle = static_cast<std::ptrdiff_t>(plain.size() / 2);
  std::nth_element(plain.begin(), plain.begin() + middle, plain.end());
  std::nth_element(profiles.begin(), profiles.begin() + middle, profiles.end(),
                   [](const StepProfile& a, const StepProfile& b) { return a.seconds < b.seconds; });
  StepProfile& profile = profiles[static_cast<std::size_t>(middle)];
  profile.plain_seconds = plain[static_cast<std::size_t>(middle)];
  profile.resident_bytes = resident;
  sort_rows(profile);
  return std::move(profile);
}

std::string format_trace(const StepProfile& profile, const std::string& title) {
  using Json = nlohmann::ordered_json;
  Json events = Json::array();
  events.push_back({{"ph", "M"}, {"name", "process_name"}, {"pid", 1}, {"tid", 1}, {"args", {{"name", title}}}});
  for (const ProfileEvent& event : profile.events) {
    const ProfileRow& row = profile.rows[event.row];
    const double start = 1e6 * event.start, seconds = 1e6 * event.seconds;  // µs
    Json arguments{{"operation", event.operation}};
    if (row.layers.size() > 1) arguments["layers"] = row.layers;
    events.push_back({{"ph", "X"},
                      {"name", row.name},
                      {"cat", event.backward ? "backward" : "forward"},
                      {"pid", 1},
                      {"tid", 1},
                      {"ts", start},
                      {"dur", seconds},
                      {"args", std::move(arguments)}});
    events.push_back({{"ph", "C"},
                      {"name", "memory"},
                      {"pid", 1},
                      {"ts", start + seconds},
                      {"args", {{"bytes", event.bytes_in_use}}}});
  }
  return Json{{"displayTimeUnit", "ms"}, {"traceEvents", std::move(events)}}.dump(1, ' ', false,
                                                                                  Json::error_handler_t::replace) +
         "\n";
}

}  // namespace melgrad
