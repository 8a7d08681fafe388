// A training step in its steady state asks the system for nothing: no malloc, no mmap, no fresh page. Counted from outside:
// this program's own definitions of the C library's functions stand before the library's, and getrusage counts page faults.
#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "kernels/philox.h"
#include "layers/loss.h"
#include "models/registry.h"
#include "optim/sgd.h"
#include "tensor/autograd.h"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {
std::atomic<bool> counting = false;
std::atomic<int64_t> allocations = 0, mappings = 0;

void count(std::atomic<int64_t>& counter) {
  if (counting.load(std::memory_order_relaxed)) counter.fetch_add(1, std::memory_order_relaxed);
}
}  // namespace

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) {
  count(allocations);
  return __libc_malloc(size);
}
void* calloc(std::size_t n, std::size_t size) {
  count(allocations);
  return __libc_calloc(n, size);
}
void* realloc(void* data, std::size_t size) {
  count(allocations);
  return __libc_realloc(data, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  count(allocations);
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** data, std::size_t alignment, std::size_t size) {
  count(allocations);
  *data = __libc_memalign(alignment, size);
  return *data == nullptr ? 12 : 0;
}
void* mmap(void* at, std::size_t size, int protection, int flags, int file, off_t offset) noexcept {
  count(mappings);
  return reinterpret_cast<void*>(syscall(SYS_mmap, at, size, protection, flags, file, offset));
}
}

namespace melgrad {
namespace {

struct Counts {
  int64_t allocations, mappings, faults;
};

// The network on its published input, the optimizer of its recipe, one batch.
struct Steps {
  Sequential network;
  Tensor x, targets;
  std::unique_ptr<Sgd> sgd;
  uint32_t step = 0;

  explicit Steps(const char* model, int64_t batch) {
    const ModelDescription& description = find_model(model);
    network = make_model(model, description.classes);
    network.build(description.input, {.seed = 1});
    Generator random(1, Draw::test);
    std::vector<float> values(static_cast<std::size_t>(batch * description.input.numel()));
    for (float& value : values) value = static_cast<float>(random.normal());
    x = Tensor::from(values, description.input.with_batch(batch));
    std::vector<float> wanted(static_cast<std::size_t>(batch * description.classes));
    for (std::size_t i = 0; i < wanted.size(); i += 3) wanted[i] = 1;
    targets = Tensor::from(wanted, {batch, description.classes});
    sgd =
        std::make_unique<Sgd>(as_parameters(network.parameters()), SgdOptions{.learning_rate = 1e-3, .momentum = 0.9});
  }

  Counts take() {
    rusage before{}, after{};
    allocations = mappings = 0;
    getrusage(RUSAGE_SELF, &before);
    counting = true;
    {
      const Tensor output = network.pre_activation(x, {.training = true, .step = step++, .fuse = true});
      const Tensor loss = compute_loss({.loss = Loss::binary_cross_entropy}, output, network.activation(), targets);
      sgd->zero_grad();
      loss.backward();
      sgd->step();
    }
    counting = false;
    getrusage(RUSAGE_SELF, &after);
    return {allocations, mappings, after.ru_minflt + after.ru_majflt - before.ru_minflt - before.ru_majflt};
  }
};

TEST_CASE("a steady step of SampleCNN allocates nothing and touches no fresh page") {
  Steps steps("samplecnn", 1);
  CHECK(steps.take().allocations > 0);  // the counter counts
  // Which thread meets which block of work first is chance, and with it when each has all its scratch: the state is steady
  // once five steps in a row ask for nothing. Of the system's own accord a page may move once in a while.
  int64_t quiet = 0, taken = 0, least_faults = 1 << 30;
  for (; quiet < 5 && taken < 60; ++taken) {
    const Counts counts = steps.take();
    quiet = counts.allocations == 0 && counts.mappings == 0 ? quiet + 1 : 0;
    least_faults = quiet == 0 ? 1 << 30 : std::min(least_faults, counts.faults);
  }
  MESSAGE("steady after " << taken - quiet << " steps");
  CHECK(quiet == 5);
  CHECK(least_faults == 0);
}

}  // namespace
}  // namespace melgrad

#endif
