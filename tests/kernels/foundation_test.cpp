#include <doctest/doctest.h>

#if defined(__linux__)
#include <sched.h>
#endif

#include <atomic>
#include <set>
#include <thread>

#include "kernels/arena.h"
#include "kernels/memory.h"
#include "kernels/philox.h"
#include "kernels/shape.h"
#include "kernels/thread_pool.h"

namespace melgrad {
namespace {

TEST_CASE("philox gives the published numbers") {
  // Known answers of the authors' Random123 1.14, kat_vectors, philox4x32 10.
  const Philox4 zeros = philox4x32({{0, 0, 0, 0}}, 0, 0);
  CHECK(zeros.word[0] == 0x6627e8d5);
  CHECK(zeros.word[1] == 0xe169c58d);
  CHECK(zeros.word[2] == 0xbc57ac4c);
  CHECK(zeros.word[3] == 0x9b00dbd8);
  const Philox4 pi = philox4x32({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0);
  CHECK(pi.word[0] == 0xd16cfe09);
  CHECK(pi.word[1] == 0x94fdcceb);
  CHECK(pi.word[2] == 0x5001e420);
  CHECK(pi.word[3] == 0x24126ea1);
}

TEST_CASE("generator: uniform numbers, normal numbers and shuffles") {
  Generator random(7, Draw::test);
  double sum = 0, squares = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
  }
  CHECK(std::abs(sum / 100'000) < 0.02);
  CHECK(std::abs(squares / 100'000 - 1) < 0.02);
  std::vector<int> items{0, 1, 2, 3, 4, 5, 6, 7};
  random.shuffle(items);
  CHECK(std::set<int>(items.begin(), items.end()).size() == 8);
  for (int i = 0; i < 1000; ++i) CHECK(random.below(3) < 3);
}

TEST_CASE("thread pool runs every chunk once, for any number of threads") {
  for (int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    for (int64_t chunks : {0, 1, 2, 1000}) {
      std::vector<std::atomic<int>> count(static_cast<std::size_t>(chunks));
      pool.run(chunks, [&](int64_t chunk) { ++count[static_cast<std::size_t>(chunk)]; });
      for (const auto& times : count) CHECK(times == 1);
    }
  }
}

TEST_CASE("thread pool passes an exception on and stays usable") {
  ThreadPool pool(2);
  CHECK_THROWS_AS(pool.run(100, [](int64_t chunk) { require(chunk != 40, "chunk 40"); }), Error);
  std::atomic<int> calls = 0;
  pool.run(10, [&](int64_t) { pool.run(3, [&](int64_t) { ++calls; }); });  // nested calls run in place
  CHECK(calls == 30);
}

TEST_CASE("thread pool under many short calls") {
  ThreadPool pool(3);
  std::atomic<int64_t> sum = 0;
  for (int call = 0; call < 20'000; ++call) pool.run(4, [&](int64_t chunk) { sum += chunk; });
  CHECK(sum == 20'000 * 6);
}

#if defined(__linux__)
TEST_CASE("the workers of a thread pool keep off the caller's processor") {
  cpu_set_t allowed;
  REQUIRE(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  if (CPU_COUNT(&allowed) < 2) {
    MESSAGE("skipped: there is one processor");
    return;
  }
  ThreadPool pool(2);
  const auto caller = std::this_thread::get_id();
  bool kept_off = false;
  for (int call = 0; call < 1000 && !kept_off; ++call) {  // a caller that is moved about is followed later
    const int processor = sched_getcpu();
    cpu_set_t of_worker = allowed;
    std::atomic<int> arrived = 0;
    pool.run(2, [&](int64_t) {  // one each
      if (std::this_thread::get_id() != caller) sched_getaffinity(0, sizeof of_worker, &of_worker);
      for (++arrived; arrived < 2;) std::this_thread::yield();
    });
    kept_off = CPU_COUNT(&of_worker) == CPU_COUNT(&allowed) - 1 && !CPU_ISSET(processor, &of_worker);
  }
  CHECK(kept_off);
}
#endif

TEST_CASE("shape") {
  const Shape shape{2, 3, 4};
  CHECK(shape.numel() == 24);
  CHECK(shape[-1] == 4);
  CHECK(shape.to_string() == "(2, 3, 4)");
  CHECK(shape.without_batch() == Shape{3, 4});
  CHECK(Shape{}.numel() == 1);
  CHECK_THROWS_AS(shape[3], Error);
  CHECK_THROWS_AS((Shape{1, -1}), Error);
}

TEST_CASE("arena keeps blocks and counts them") {
  Arena blocks(Device::cpu);
  { Buffer buffer = blocks.allocate(1000); }
  { Buffer buffer = blocks.allocate(1000); }
  CHECK(blocks.statistics().in_use == 0);
  CHECK(blocks.statistics().peak_in_use >= 1000);
#if !defined(__SANITIZE_ADDRESS__)
  CHECK(blocks.statistics().system_calls == 1);
#endif
  Buffer large = blocks.allocate(5 << 20);
  CHECK(reinterpret_cast<uintptr_t>(large.data()) % 4096 == 0);
  CHECK_THROWS_AS(blocks.allocate(int64_t{1} << 60), Error);
  CHECK_THROWS_AS(blocks.allocate(-1), Error);
}

TEST_CASE("copy between devices, and fill") {
  for (Device device : {Device::cpu, Device::simt}) {
    Buffer there = arena(device).allocate(16);
    const View view{there.data(), Shape{4}, DType::f32, device};
    fill(view, 2.5);
    float back[4] = {};
    copy(view, {back, Shape{4}});
    for (float value : back) CHECK(value == 2.5f);
  }
}

}  // namespace
}  // namespace melgrad
