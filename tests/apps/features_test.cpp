// melgrad features over one file and many.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "tensor/io/npy.h"
#include "tests/apps/program.h"

namespace melgrad::test {
namespace {

namespace fs = std::filesystem;

Arguments features(const Arguments& audio, const fs::path& out, const Arguments& more = {}) {
  Arguments arguments{"features"};
  arguments.insert(arguments.end(), audio.begin(), audio.end());
  for (const std::string& argument :
       {std::string("--preset"), std::string("gtzan-mfcc"), std::string("--out"), out.string()})
    arguments.push_back(argument);
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST_CASE("a preset brings the part of a file that its system takes, and --set changes it") {
  const TemporaryFolder folder;
  write_wav(folder / "x.wav", std::vector<float>(12'000 * 31, 0.25F), 12000);
  write_wav(folder / "short.wav", std::vector<float>(12'000, 0.25F), 12000);
  const auto frames = [&](const char* preset, const char* file, const Arguments& more) {
    Arguments arguments{"features", (folder / file).string(), "--preset", preset, "--out", (folder / "f.npy").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_program(arguments);
    REQUIRE_MESSAGE(outcome.status == 0, outcome.err);
    return load_npy(folder / "f.npy").shape()[0];
  };
  CHECK(frames("choi", "x.wav", {}) == 1366);
  CHECK(file_bytes(folder / "f.toml").find("[data]\nduration = 29.12\ncrop = \"centre\"\nshort = \"pad\"\n") !=
        std::string::npos);
  CHECK(frames("choi", "short.wav", {}) == 1366);
  CHECK(frames("mtat", "x.wav", {}) == 683);
  CHECK(frames("mtat", "short.wav", {}) == 24);
  CHECK(frames("mtat", "x.wav", {"--set", "duration=0"}) == 1 + 12'000 * 31 / 512);
  CHECK(file_bytes(folder / "f.toml").find("[data]") == std::string::npos);
  CHECK(frames("librosa", "x.wav", {"--set", "data.duration=2"}) == 1 + 44'100 / 512);
  const Outcome refused = run_program({"features", (folder / "x.wav").string(), "--preset", "key-spectrogram", "--set",
                                       "duration=2", "--out", (folder / "f.npy").string()});
  CHECK(refused.status == 2);
  CHECK(refused.err.find("of the whole file") != std::string::npos);
}

TEST_CASE("features by the kernels of another device are the CPU's, within what f32 rounds") {
  const TemporaryFolder folder;
  std::vector<float> samples(9000);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = 0.3F * std::sin(0.05F * static_cast<float>(i));
  const fs::path audio = folder / "x.wav", cpu = folder / "cpu.npy", simt = folder / "simt.npy";
  write_wav(audio, samples, 22050);
  REQUIRE(run_program(features({audio.string()}, cpu)).status == 0);
  const Outcome outcome = run_program(features({audio.string()}, simt, {"--device", "simt"}));
  REQUIRE_MESSAGE(outcome.status == 0, outcome.err);
  const Tensor expected = load_npy(cpu), got = load_npy(simt);
  REQUIRE(got.shape() == expected.shape());
  double worst = 0;
  for (std::size_t i = 0; i < got.data<float>().size(); ++i) {
    const double off = std::abs(static_cast<double>(got.data<float>()[i]) - expected.data<float>()[i]);
    worst = std::isnan(off) ? INFINITY : std::max(worst, off);
  }
  CHECK(worst <= 1e-2);  // as device_frontend_test.cpp has it for MFCC
  CHECK(worst > 0);      // another device's arithmetic, not the CPU's
  const Outcome part = run_program(features({audio.string()}, simt, {"--device", "simt", "--set", "duration=0.3"}));
  CHECK(part.status == 2);
  CHECK(part.err.find("whole files") != std::string::npos);
}

TEST_CASE("outputs that are current are left alone; a changed file, parameter or a lost description is not") {
  const TemporaryFolder folder;
  const fs::path audio = folder / "a.wav", out = folder / "a.npy";
  write_wav(audio, std::vector<float>(22050, 0.25f), 22050);
  REQUIRE(run_program(features({audio.string()}, out)).status == 0);
  CHECK(load_npy(out).shape() == Shape{44, 13});
  CHECK(file_bytes(folder / "a.toml").find("n_fft = 2048") != std::string::npos);
  const auto current = [&](const Arguments& more) {
    const Outcome outcome = run_program(features({audio.string()}, out, more));
    REQUIRE(outcome.status == 0);
    return outcome.out.find("\"current\":1") != std::string::npos;
  };
  CHECK(current({"--json"}));
  CHECK(!current({"--json", "--again"}));
  CHECK(!current({"--json", "--set", "mfcc=20"}));
  CHECK(load_npy(out).shape() == Shape{44, 20});
  CHECK(!current({"--json"}));
  write_wav(audio, std::vector<float>(44100, 0.25f), 22050);
  CHECK(!current({"--json"}));
  CHECK(load_npy(out).shape() == Shape{87, 13});
  fs::remove(folder / "a.toml");
  CHECK(!current({"--json"}));
  fs::remove(out);
  CHECK(!current({"--json"}));
  CHECK(load_npy(out).shape() == Shape{87, 13});
}

TEST_CASE("many files: folders are kept, failures are listed at the end with status 1, the others are made") {
  const TemporaryFolder folder;
  Arguments audio;
  for (const char* name : {"blues/1.wav", "rock/1.wav", "rock/live/1.wav"}) {
    fs::create_directories((folder / name).parent_path());
    write_wav(folder / name, std::vector<float>(22050, 0.25f), 22050);
    audio.push_back((folder / name).string());
  }
  REQUIRE(run_program(features(audio, folder / "out")).status == 0);
  for (const char* name : {"blues/1.npy", "rock/1.npy", "rock/live/1.npy"}) CHECK(fs::exists(folder / "out" / name));
  std::ofstream(folder / "rock/text.wav") << "no audio";
  audio.push_back((folder / "rock/text.wav").string());
  audio.push_back((folder / "rock/none.wav").string());
  const Outcome outcome = run_program(features(audio, folder / "out", {"--jobs", "2"}));
  CHECK(outcome.status == 1);
  CHECK(outcome.err.find("5 files: 0 made, 3 as they are, 2 failed") != std::string::npos);
  CHECK(outcome.err.find("text.wav: cannot be read as audio") != std::string::npos);
  CHECK(outcome.err.find("none.wav: no such file") != std::string::npos);
  CHECK(!fs::exists(folder / "out/rock/text.npy"));
  write_wav(folder / "rock/1.aiff.wav", std::vector<float>(22050, 0.25f), 22050);
  fs::rename(folder / "rock/1.aiff.wav", folder / "rock/1.aiff");
  const Outcome collision =
      run_program(features({(folder / "rock/1.wav").string(), (folder / "rock/1.aiff").string()}, folder / "out"));
  CHECK(collision.status == 1);
  CHECK(collision.err.find("would both become") != std::string::npos);
}

TEST_CASE("every preset draws a picture") {
  const TemporaryFolder folder;
  std::vector<float> chirp;
  for (int i = 0; i < 22050 * 3; ++i)
    chirp.push_back(0.5f * std::sin(1e-6f * static_cast<float>(i) * static_cast<float>(i)));
  write_wav(folder / "a.wav", chirp, 22050);
  const Outcome listed = run_program({"presets", "--json"});
  for (const char* preset : {"librosa", "gtzan-mfcc", "log-frequency", "key-spectrogram", "waveform", "musicnn"}) {
    CAPTURE(preset);
    CHECK(listed.out.find(std::string("\"") + preset + "\"") != std::string::npos);
    const fs::path out = folder / (std::string(preset) + ".png");
    CHECK(run_program({"features", (folder / "a.wav").string(), "--preset", preset, "--out", out.string()}).status ==
          0);
    CHECK(file_bytes(out).starts_with("\x89PNG"));
  }
}

}  // namespace
}  // namespace melgrad::test
