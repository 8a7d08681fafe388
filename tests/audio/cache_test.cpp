// The feature cache: what it keeps, what makes it compute anew, and that it survives anything.
#include <doctest/doctest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "audio/cache.h"
#include "audio/dataset.h"
#include "kernels/philox.h"
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
    return compute_features(read_clips(folder.path() / "set", none), Frontend(frontend), none, pool).values();
  }
  fs::path clip(int i) const { return folder.path() / fmt::format("set/{}/{}.wav", i % 2, i); }
  std::vector<fs::path> shards() const {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::recursive_directory_iterator(data.cache))
      if (entry.path().extension() == ".shard") paths.push_back(entry.path());
    return paths;
  }
};

TEST_CASE("cache: the second time everything comes from it, to the bit") {
  const Fixture fixture;
  const FeatureSet first = fixture.compute();
  CHECK(first.from_cache == 0);
  const FeatureSet second = fixture.compute();
  CHECK(second.from_cache == 6);
  CHECK(second.values() == first.values());
  CHECK(second.clip == first.clip);
  CHECK(second.values() == fixture.without_cache());
}

TEST_CASE("cache: a changed parameter computes anew, beside what is there") {
  Fixture fixture;
  fixture.compute();
  fixture.frontend.mels = 9;
  CHECK(fixture.compute().from_cache == 0);
  fixture.data.crop = CropPosition::centre;
  CHECK(fixture.compute().from_cache == 0);
  fixture.data.segments = 1;
  CHECK(fixture.compute().from_cache == 0);
  fixture.data.test = 0.5;  // what a split is made of does not matter
  CHECK(fixture.compute().from_cache == 6);
  fixture.frontend.mels = 8;
  fixture.data.crop = CropPosition::start;
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
  CHECK(changed.values() == fixture.without_cache());
  fs::last_write_time(fixture.clip(1), fs::last_write_time(fixture.clip(1)) + std::chrono::seconds(1));
  CHECK(fixture.compute().from_cache == 5);
  fs::remove(fixture.clip(4));  // gone: no part of the set, whatever the cache has
  CHECK(fixture.compute().clips.size() == 5);
}

// Puts a shard in place of what is there; the features must be right, `kept` clips from it, and all kept anew.
void check_damaged(const Fixture& fixture, const fs::path& shard, const std::string& contents, int64_t kept,
                   const std::vector<float>& expected) {
  for (const fs::path& path : fixture.shards()) fs::remove(path);
  write_file_atomically(shard, contents);
  const FeatureSet set = fixture.compute();
  CHECK(set.from_cache == kept);
  CHECK(set.values() == expected);
  CHECK(fixture.compute().from_cache == 6);
}

TEST_CASE("cache: damaged shards are found and replaced") {
  const Fixture fixture;
  const std::vector<float> expected = fixture.compute().values();
  REQUIRE(fixture.shards().size() == 1);
  const fs::path shard = fixture.shards().front();
  const std::string whole = read_file(shard);
  check_damaged(fixture, shard, whole, 6, expected);
  const std::size_t data = whole.size() - 6 * ((2 * 32 * 8 * 4 + 63) / 64 * 64);  // 6 clips of 2 × 32 × 8 floats
  const auto flipped = [&](std::size_t at) {
    std::string damaged = whole;
    damaged[at] ^= 1;
    return damaged;
  };
  for (std::size_t at : {std::size_t{0}, std::size_t{40}, whole.find("index = ") + 12, whole.find("checksum") + 13,
                         whole.find("n_fft") + 9, whole.rfind(".wav")})
    check_damaged(fixture, shard, flipped(at), 0, expected);
  check_damaged(fixture, shard, flipped(data + 5), 5, expected);
  check_damaged(fixture, shard, flipped(whole.size() - 1), 5, expected);
  for (std::size_t size : {std::size_t{0}, std::size_t{7}, std::size_t{200}, data - 1})
    check_damaged(fixture, shard, whole.substr(0, size), 0, expected);
  check_damaged(fixture, shard, whole.substr(0, whole.size() - 1), 5, expected);
  check_damaged(fixture, shard, whole + "x", 6, expected);
}

TEST_CASE("cache: an index that lies about sizes, with a right checksum") {
  const Fixture fixture;
  const std::vector<float> expected = fixture.compute().values();
  const fs::path shard = fixture.shards().front();
  const std::string whole = read_file(shard);
  const std::size_t start = whole.find('\n', whole.find("index = ")) + 1;
  const auto bytes = static_cast<std::size_t>(std::stoll(whole.substr(whole.find("index = ") + 8, 12)));
  for (const auto& [from, to] : {std::pair<std::string, std::string>{" 2 32 8 ", " 2 99999999999 99999999999 "},
                                 {" 2 32 8 ", " -2 32 8 "},
                                 {" 2 32 8 ", " x 32 8 "}}) {
    std::string index = whole.substr(start, bytes);
    REQUIRE(index.find(from) != std::string::npos);
    index.replace(index.find(from), from.size(), to);
    std::string contents = whole.substr(0, whole.find("index = "));
    contents +=
        fmt::format("index = {:12} checksum = {:016x}\n", index.size(), checksum_of(index.data(), index.size()));
    contents += index + whole.substr(start + bytes);
    // Where the data have moved with the index, no clip's place is right.
    check_damaged(fixture, shard, contents, index.size() == bytes ? 5 : 0, expected);
  }
}

TEST_CASE("cache: a shard goes when all in it is out of date, and samples have a place of their own") {
  Fixture fixture;
  fixture.compute();
  for (int i = 0; i < 5; ++i)
    fs::last_write_time(fixture.clip(i), fs::last_write_time(fixture.clip(i)) + std::chrono::seconds(1));
  CHECK(fixture.compute().from_cache == 1);
  CHECK(fixture.shards().size() == 2);
  fs::last_write_time(fixture.clip(5), fs::last_write_time(fixture.clip(5)) + std::chrono::seconds(1));
  CHECK(fixture.compute().from_cache == 5);
  CHECK(fixture.shards().size() == 2);  // the first is gone, one for the last clip has come
  ThreadPool pool(1);
  const auto both = [&] {
    return compute_features(read_clips(fixture.folder.path() / "set", fixture.data), Frontend(fixture.frontend),
                            fixture.data, pool, {}, {.features = true, .samples = true});
  };
  const FeatureSet first = both(), second = both();
  CHECK(first.from_cache == 0);
  CHECK(second.from_cache == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(second.samples[i].samples == 8000);
    CHECK(second.samples[i].scale == first.samples[i].scale);
    CHECK(std::ranges::equal(second.samples[i].pcm(), first.samples[i].pcm()));
  }
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(fixture.data.cache)) {
    folders.push_back(entry.path());
    CHECK(read_file(entry.path() / "manifest.txt").starts_with("melgrad clips, format 3\ndecoder = \"libsndfile"));
  }
  CHECK(folders.size() == 2);
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

TEST_CASE("cache: two processes that fill it at once, killed at ten random instants, leave it sound") {
  const Fixture fixture;
  const std::vector<float> expected = fixture.without_cache();
  Generator random(static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()), Draw::test);
  set_shard_bytes(4096);  // a shard every other clip
  const auto start = std::chrono::steady_clock::now();
  fixture.compute(1);
  const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
  int64_t found = 0;
  for (int kill_number = 0; kill_number < 10; ++kill_number) {
    fs::remove_all(fixture.data.cache);
    pid_t children[2];
    for (pid_t& child : children) {
      child = fork();
      if (child == 0) {
        const std::string error = test::error_of([&] { fixture.compute(1); });
        _exit(error.empty() ? 0 : 1);
      }
    }
    usleep(random.below(static_cast<uint32_t>(2 * whole.count() + 1)));
    for (pid_t child : children) kill(child, SIGKILL);
    for (pid_t child : children) {
      int status = 0;
      waitpid(child, &status, 0);
      CHECK((WIFSIGNALED(status) || WEXITSTATUS(status) == 0));
    }
    const FeatureSet next = fixture.compute();
    found += next.from_cache;
    CHECK(next.values() == expected);
    CHECK(fixture.compute().from_cache == 6);
  }
  set_shard_bytes(std::size_t{32} << 20);
  MESSAGE(found << " of 60 clips were in the caches that killed processes left");
}

}  // namespace
}  // namespace melgrad
