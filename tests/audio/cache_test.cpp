// The feature cache: what it keeps, what makes it compute anew, and that it survives anything.
#include <doctest/doctest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>

#include "audio/cache.h"
#include "audio/dataset.h"
#include "kernels/thread_pool.h"
#include "tensor/io/atomic_file.h"
#include "tests/audio/audio_folder.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;
using test::AudioFolder;

std::vector<float> tone(float frequency) {
  std::vector<float> x;
  for (int i = 0; i < 8000; ++i) x.push_back(0.5F * std::sin(frequency * static_cast<float>(i)));
  return x;
}

struct Fixture {
  AudioFolder folder;
  FrontendOptions frontend;
  DataOptions data;

  Fixture() {
    frontend.sample_rate = 8000;
    frontend.n_fft = 256;
    frontend.hop = 128;
    frontend.mels = 8;
    data.duration = 1;
    data.segments = 2;
    data.cache = (folder.path() / "cache").string();
    for (int i = 0; i < 6; ++i)
      folder.write_audio(fmt::format("set/{}/{}.wav", i % 2, i), tone(0.01F * static_cast<float>(i + 1)), 8000);
  }
  FeatureSet compute(int threads = 2) const {
    ThreadPool pool(threads);
    return compute_features(read_clips(folder.path() / "set", data), Frontend(frontend), data, pool);
  }
  std::vector<float> without_cache() const {
    ThreadPool pool(1);
    DataOptions none = data;
    none.cache = "none";
    return compute_features(read_clips(folder.path() / "set", none), Frontend(frontend), none, pool).features;
  }
  fs::path clip(int i) const { return folder.path() / fmt::format("set/{}/{}.wav", i % 2, i); }
  fs::path entry(int i) const { return FeatureCache(data.cache, frontend, data).entry_path(clip(i)); }
};

TEST_CASE("cache: the second time everything comes from it, to the bit") {
  const Fixture fixture;
  const FeatureSet first = fixture.compute();
  CHECK(first.from_cache == 0);
  const FeatureSet second = fixture.compute();
  CHECK(second.from_cache == 6);
  CHECK(second.features == first.features);
  CHECK(second.clip == first.clip);
  CHECK(second.features == fixture.without_cache());
}

TEST_CASE("cache: a changed parameter computes anew, beside what is there") {
  Fixture fixture;
  fixture.compute();
  fixture.frontend.mels = 9;
  CHECK(fixture.compute().from_cache == 0);
  fixture.data.crop = Crop::centre;
  CHECK(fixture.compute().from_cache == 0);
  fixture.data.segments = 1;
  CHECK(fixture.compute().from_cache == 0);
  fixture.data.test = 0.5;  // what a split is made of does not matter
  CHECK(fixture.compute().from_cache == 6);
  fixture.frontend.mels = 8;
  fixture.data.crop = Crop::start;
  fixture.data.segments = 2;
  CHECK(fixture.compute().from_cache == 6);
}

TEST_CASE("cache: a changed file computes just that clip anew") {
  const Fixture fixture;
  fixture.compute();
  fixture.folder.write_audio("set/1/3.wav", tone(0.5F), 8000);
  fs::last_write_time(fixture.clip(3), fs::last_write_time(fixture.clip(2)) + std::chrono::milliseconds(1));
  const FeatureSet changed = fixture.compute();
  CHECK(changed.from_cache == 5);
  CHECK(changed.features == fixture.without_cache());
  fs::last_write_time(fixture.clip(1), fs::last_write_time(fixture.clip(1)) + std::chrono::seconds(1));
  CHECK(fixture.compute().from_cache == 5);
  fs::remove(fixture.clip(4));  // gone: no part of the set, whatever the cache has
  CHECK(fixture.compute().clips.size() == 5);
}

TEST_CASE("cache: damaged entries are found and replaced") {
  const Fixture fixture;
  const std::vector<float> expected = fixture.compute().features;
  const fs::path entry = fixture.entry(2);
  const std::string whole = read_file(entry);
  std::vector<std::string> damaged{"", "melgrad", whole.substr(0, whole.size() - 1), whole + "x", whole.substr(0, 200)};
  for (std::size_t at : {std::size_t{0}, std::size_t{40}, whole.find("segments = ") + 15, whole.find("frames = ") + 11,
                         whole.find("dropped = ") + 12, whole.find("checksum") + 13, whole.size() - 1}) {
    damaged.push_back(whole);
    damaged.back()[at] ^= 1;
  }
  // Sizes whose product overflows.
  std::string lying = whole;
  lying.replace(lying.find("frames = ") + 9, 12, "999999999999");
  damaged.push_back(lying);
  for (const std::string& contents : damaged) {
    write_file_atomically(entry, contents);
    const FeatureSet set = fixture.compute();
    CHECK(set.from_cache == 5);
    CHECK(set.features == expected);
    CHECK(read_file(entry) == whole);
  }
}

TEST_CASE("cache: bad clips are not kept, and a cache that cannot be is an error") {
  Fixture fixture;
  fixture.folder.write("set/1/bad.wav", "text");
  CHECK(fixture.compute().skipped.size() == 1);
  CHECK(fixture.compute().skipped.size() == 1);
  CHECK(fixture.compute().from_cache == 6);
  fixture.data.cache = fixture.folder.write("file", "x").string();
  CHECK(test::error_of([&] { fixture.compute(); }).find("cannot be made for the cache") != std::string::npos);
}

TEST_CASE("cache: processes that fill it at once and die leave it sound") {
  const Fixture fixture;
  const std::vector<float> expected = fixture.without_cache();
  for (int delay = 0; delay < 10; ++delay) {
    fs::remove_all(fixture.data.cache);
    pid_t children[2];
    for (pid_t& child : children) {
      child = fork();
      if (child == 0) {
        const std::string error = test::error_of([&] { fixture.compute(1); });
        _exit(error.empty() ? 0 : 1);
      }
    }
    usleep(static_cast<useconds_t>(delay * 700));
    for (pid_t child : children) kill(child, SIGKILL);
    for (pid_t child : children) {
      int status = 0;
      waitpid(child, &status, 0);
      CHECK((WIFSIGNALED(status) || WEXITSTATUS(status) == 0));
    }
    CHECK(fixture.compute().features == expected);
    CHECK(fixture.compute().from_cache == 6);
  }
}

}  // namespace
}  // namespace melgrad
