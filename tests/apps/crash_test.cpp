// A run that dies at any instant and is resumed ends with the same bytes as one that never stopped.
#include <doctest/doctest.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "kernels/philox.h"
#include "tests/apps/program.h"

namespace melgrad::test {
namespace {

constexpr int epochs = 3;

struct Uninterrupted {
  TemporaryFolder folder;
  std::filesystem::path data = folder / "data", run = folder / "run";
  Uninterrupted() {
    make_tone_set(data, 8);
    const Outcome outcome = run_program(train_arguments(data, run, epochs));
    REQUIRE_MESSAGE(outcome.status == 0, outcome.err);
  }
};

void check_same_run(const std::filesystem::path& run, const std::filesystem::path& expected) {
  for (const char* name : {"best.safetensors", "last.safetensors", "log.tsv", "config.toml"}) {
    REQUIRE(std::filesystem::exists(expected / name));
    CHECK_MESSAGE(file_bytes(run / name) == file_bytes(expected / name), run.string() << "/" << name);
  }
}

TEST_CASE("death at every write, fsync and rename") {
  const Uninterrupted reference;
  int deaths = 0;
  for (int operation = 1;; ++operation) {
    const TemporaryFolder folder;
    const auto run = folder / "run";
    const Outcome died = run_program(train_arguments(reference.data, run, epochs),
                                     {{"MELGRAD_DIE_AT_FILE_OPERATION", std::to_string(operation)}});
    if (died.status == 0) break;  // past the last operation
    REQUIRE(died.status == 137);
    ++deaths;
    const bool had_checkpoint = std::filesystem::exists(run / "last.safetensors");
    const Outcome resumed = run_program(train_arguments(reference.data, run, epochs, {"--resume"}));
    REQUIRE_MESSAGE(resumed.status == 0, resumed.err);
    // Before the first checkpoint there is nothing to resume, and the user is told.
    const bool says_anew = resumed.err.find("starting anew") != std::string::npos;
    CHECK_MESSAGE(says_anew == !had_checkpoint, "operation " << operation << ": " << resumed.err);
    check_same_run(run, reference.run);
  }
  MESSAGE("died and resumed at " << deaths << " file operations");
  CHECK(deaths > 12 * epochs);  // best, last and log of each epoch: write, fsync, rename, fsync of the folder
}

TEST_CASE("ten kill -9 at random instants") {
  const Uninterrupted reference;
  Generator random(std::chrono::steady_clock::now().time_since_epoch().count(), Draw::test);
  for (int kill = 0; kill < 10; ++kill) {
    const TemporaryFolder folder;
    const auto run = folder / "run";
    const pid_t process = start_program(train_arguments(reference.data, run, epochs));
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + random.below(400)));
    ::kill(process, SIGKILL);
    wait_for(process);
    const Outcome resumed = run_program(train_arguments(reference.data, run, epochs, {"--resume"}));
    REQUIRE_MESSAGE(resumed.status == 0, resumed.err);
    check_same_run(run, reference.run);
  }
}

TEST_CASE("Ctrl-C finishes the step, saves, and says how to go on") {
  const Uninterrupted reference;
  for (int attempt = 0; attempt < 5; ++attempt) {
    const TemporaryFolder folder;
    const auto run = folder / "run";
    const pid_t process = start_program(train_arguments(reference.data, run, epochs));
    // Once the run's configuration is there, training is about to begin.
    for (int wait = 0; wait < 1000 && !std::filesystem::exists(run / "config.toml"); ++wait)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::this_thread::sleep_for(std::chrono::milliseconds(5 + 10 * attempt));
    ::kill(process, SIGINT);
    const int status = wait_for(process);
    CHECK((status == 1 || status == 0));  // 0: it was done before
    CHECK(std::filesystem::exists(run / "last.safetensors"));
    const Outcome resumed =
        run_program({"train", "--resume", "--out", run.string(), "--data", reference.data.string()});
    REQUIRE_MESSAGE(resumed.status == 0, resumed.err);
    check_same_run(run, reference.run);
  }
}

TEST_CASE("the number of threads changes no bit") {
  const Uninterrupted reference;
  for (const char* threads : {"1", "2", "3"}) {
    const auto run = reference.folder / (std::string("threads") + threads);
    const Outcome outcome = run_program(train_arguments(reference.data, run, epochs, {"--threads", threads}));
    REQUIRE_MESSAGE(outcome.status == 0, outcome.err);
    check_same_run(run, reference.run);
  }
}

TEST_CASE("a resumed run may go on for longer, but not with other settings or data") {
  const Uninterrupted reference;
  const auto run = reference.folder / "longer";
  REQUIRE(run_program(train_arguments(reference.data, run, 1)).status == 0);
  REQUIRE(run_program(train_arguments(reference.data, run, epochs, {"--resume"})).status == 0);
  CHECK(file_bytes(run / "last.safetensors") == file_bytes(reference.run / "last.safetensors"));

  const Outcome again = run_program(train_arguments(reference.data, run, epochs));
  CHECK(again.status == 1);
  CHECK(again.err.find("--resume") != std::string::npos);

  const Outcome other =
      run_program(train_arguments(reference.data, run, epochs, {"--resume", "--set", "train.batch=4"}));
  CHECK(other.status == 1);
  CHECK(other.err.find("batch") != std::string::npos);

  make_tone_set(reference.folder / "other", 9);
  const Outcome moved = run_program(train_arguments(reference.folder / "other", run, epochs, {"--resume"}));
  CHECK(moved.status == 1);
  CHECK(moved.err.find("other data") != std::string::npos);
}

}  // namespace
}  // namespace melgrad::test
