#include "apps/profile.h"

#include <doctest/doctest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/conv1d.h"
#include "layers/dense.h"
#include "layers/layer_watch.h"
#include "layers/pooling.h"
#include "layers/reshape.h"
#include "layers/step_cost.h"
#include "tensor/autograd.h"
#include "tensor/tape_watch.h"
#include "tests/apps/program.h"

namespace melgrad {
namespace {

using nlohmann::json;

// Takes its time, forward and backward, and does nothing.
class SlowLayer : public Layer {
 public:
  SlowLayer(int forward_ms, int backward_ms) : forward_ms_(forward_ms), backward_ms_(backward_ms) {}
  std::string_view type() const override { return "slow"; }
  Shape build(const Shape& input, BuildContext&) override { return input; }
  Tensor pre_activation(const Tensor& x, const Pass&) override {
    sleep(forward_ms_);
    return record("slow", x.clone(), {x}, [this](const Tensor& dy, Gradients& gradients) {
      sleep(backward_ms_);
      gradients.set(0, dy);
    });
  }

 private:
  static void sleep(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }
  int forward_ms_, backward_ms_;
};

struct Fixture {
  Sequential network;
  TrainOptions options;
  Batch batch;

  explicit Fixture(int64_t n = 8, int64_t length = 3000) {
    network.add(Conv1D({.filters = 32, .kernel = 3, .padding = Padding::same}))
        .add(BatchNorm())
        .add(ActivationLayer({.function = ActivationFunction::relu}))
        .add(MaxPool1D({.pool = 3}))
        .add(SlowLayer(4, 7))
        .add(Flatten())
        .add(Dense({.units = 5, .activation = ActivationFunction::softmax}));
    network.build({length, 2}, {.seed = 1});
    std::vector<float> x(static_cast<std::size_t>(n * length * 2));
    Generator random(1, Draw::test);
    for (float& value : x) value = static_cast<float>(random.normal());
    batch = {Tensor::from(x, {n, length, 2}), Tensor::from(std::vector<int32_t>(static_cast<std::size_t>(n)), {n})};
  }

  StepProfile profile() {
    TrainingStep step(network, options, loss_options(options));
    return profile_training(network, step, batch, 1e-3, 3);
  }
};

const ProfileRow& row_of(const StepProfile& profile, const std::string& name) {
  for (const ProfileRow& row : profile.rows)
    if (row.name == name) return row;
  fail("no row '{}'", name);
}

TEST_CASE("the rows of a profile sum to the step within three percent, fused blocks among them") {
  Fixture fixture;
  for (bool fuse : {true, false}) {
    fixture.options.fuse = fuse;
    const StepProfile profile = fixture.profile();
    CHECK(profile.rows_seconds() <= profile.seconds);
    CHECK(profile.rows_seconds() >= 0.97 * profile.seconds);
    // And what is no row of its own is little.
    CHECK(row_of(profile, "between").seconds() <= 0.03 * profile.seconds);
    const ProfileRow& first = row_of(profile, "conv1d_1");
    if (fuse) {
      CHECK(first.layers == std::vector<std::string>{"conv1d_1", "batch_norm_1", "activation_1", "max_pool1d_1"});
    } else {
      CHECK(first.layers.size() == 1);
      CHECK(row_of(profile, "batch_norm_1").backward_seconds > 0);
    }
    CHECK(first.forward_seconds > 0);
    CHECK(first.backward_seconds > 0);
  }
}

TEST_CASE("each layer has the time that it takes, forward and backward") {
  const StepProfile profile = Fixture().profile();
  const ProfileRow& slow = row_of(profile, "slow_1");
  CHECK(slow.forward_seconds >= 0.004);
  CHECK(slow.backward_seconds >= 0.007);
  for (const ProfileEvent& event : profile.events)
    CHECK((event.operation == "slow") == (profile.rows[event.row].name == "slow_1" && event.backward));
  for (const char* name : {"loss", "update"}) CHECK(row_of(profile, name).seconds() > 0);
  CHECK(row_of(profile, "loss").backward_seconds > 0);
}

TEST_CASE("rows know their least cost: the first convolution needs no gradient of its input") {
  Fixture fixture;
  const StepProfile profile = fixture.profile();
  const std::span<const Sequential::Entry> layers(fixture.network.layers());
  CHECK(row_of(profile, "conv1d_1").forward == forward_cost(layers.subspan(0, 4), 8));
  CHECK(row_of(profile, "conv1d_1").backward == backward_cost(layers.subspan(0, 4), 8, false));
  CHECK(row_of(profile, "dense_1").backward == backward_cost(layers.subspan(6, 1), 8, true));
}

TEST_CASE("memory over time: what the backward pass keeps, and a peak above what rests") {
  const StepProfile profile = Fixture().profile();
  // At least the pooled output.
  CHECK(row_of(profile, "conv1d_1").kept_bytes >= 8 * 1000 * 32 * 4);
  CHECK(profile.peak_bytes > profile.resident_bytes);
  int64_t highest = 0;
  for (const ProfileEvent& event : profile.events) highest = std::max(highest, event.bytes_in_use);
  CHECK(highest <= profile.peak_bytes);
  CHECK(highest > profile.resident_bytes);
}

TEST_CASE("stretches follow one another without a gap, and the trace has them all") {
  const StepProfile profile = Fixture().profile();
  double end = 0;
  for (const ProfileEvent& event : profile.events) {
    CHECK(event.start == doctest::Approx(end).epsilon(1e-9));
    end = event.start + event.seconds;
  }
  CHECK(end == doctest::Approx(profile.rows_seconds()));
  const json trace = json::parse(format_trace(profile, "a step"));
  double microseconds = 0;
  std::size_t spans = 0, counters = 0;
  for (const json& event : trace.at("traceEvents")) {
    if (event.at("ph") == "X") {
      microseconds += event.at("dur").get<double>();
      ++spans;
    }
    counters += event.at("ph") == "C";
  }
  CHECK(spans == profile.events.size());
  CHECK(counters == profile.events.size());
  CHECK(microseconds == doctest::Approx(1e6 * profile.rows_seconds()));
}

TEST_CASE("one watch at a time; passes without one are as ever") {
  const LayerWatch watch([](auto&&...) {}, [](auto&&...) {});
  CHECK_THROWS_AS(LayerWatch([](auto&&...) {}, [](auto&&...) {}), Error);
  const TapeWatch tape([](auto&&...) {}, [](auto&&...) {});
  CHECK_THROWS_AS(TapeWatch([](auto&&...) {}, [](auto&&...) {}), Error);
}

TEST_CASE("melgrad profile prints a table or one JSON object") {
  const test::TemporaryFolder folder;
  const std::string trace = (folder.path() / "trace.json").string();
  const test::Arguments command{"profile", "--recipe", "gtzan-mfcc", "--set", "train.batch=4", "--steps", "1"};
  const auto with = [&](const test::Arguments& more) {
    test::Arguments all = command;
    all.insert(all.end(), more.begin(), more.end());
    return test::run_program(all);
  };
  const test::Outcome outcome = with({"--json", "--trace", trace});
  REQUIRE(outcome.status == 0);
  const json object = json::parse(outcome.out);
  CHECK(object.at("model") == "gtzan-cnn");
  CHECK(object.at("batch") == 4);
  double sum = 0;
  for (const json& row : object.at("rows")) sum += row.at("seconds").get<double>();
  CHECK(sum == doctest::Approx(object.at("rows_seconds").get<double>()));
  CHECK(object.at("rows").at(0).at("layers").at(0) == "conv2d_1");
  CHECK(object.at("ceilings").at("fma_flops_per_second").get<double>() > 1e9);
  CHECK(!json::parse(test::file_bytes(trace)).at("traceEvents").empty());
  const test::Outcome table = with({});
  CHECK(table.status == 0);
  CHECK(table.out.find("the rows sum to") != std::string::npos);
}

TEST_CASE("bad usage of profile") {
  CHECK(test::run_program({"profile"}).status == 2);
  CHECK(test::run_program({"profile", "--recipe", "no-such"}).status == 2);
  CHECK(test::run_program({"profile", "--recipe", "gtzan-mfcc", "--steps", "0"}).status == 2);
  const test::TemporaryFolder folder;
  folder.write("own.toml", "[data]\nreader = \"arrays\"\n[train]\nbatch = 2\n[[layer]]\ntype = \"dense\"\nunits = 3\n");
  const std::string own = (folder.path() / "own.toml").string();
  const test::Outcome refused = test::run_program({"profile", "--recipe", own});
  CHECK(refused.status == 2);
  CHECK(refused.err.find("--input") != std::string::npos);
  CHECK(test::run_program({"profile", "--recipe", own, "--input", "7", "--steps", "1"}).status == 0);
}

}  // namespace
}  // namespace melgrad
