// operator new and delete of the program: what objects gave back is handed out again, from lists by size, so that a
// training step in its steady state asks the system for nothing. The tape makes and frees a few hundred small objects
// (nodes, closures, shapes, lists of blocks) a step, the same ones every time. Tensors' memory is the arena's (arena.h).
//
// Sizes are rounded up to four a power of two; beyond the largest, malloc. Freed memory stays with its list. Sanitizers
// bring an allocator of their own, which sees each object's life.
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

constexpr std::size_t smallest = 32, largest = std::size_t{1} << 20, chunk_bytes = 1 << 18;
constexpr uint32_t lists = 4 * 16, no_list = lists;

// In front of every object; it keeps the object's alignment.
struct alignas(16) Header {
  uint32_t list;
};

struct Free {
  Free* next;
};

std::atomic_flag busy = ATOMIC_FLAG_INIT;
Free* free_objects[lists];
char *chunk = nullptr, *chunk_end = nullptr;

// The list of the sizes that need up to size_of(list) bytes: 32, 40, 48, 56, 64, 80, …
uint32_t list_of(std::size_t size) {
  if (size <= smallest) return 0;
  const auto power = static_cast<uint32_t>(std::bit_width(size - 1) - 1);  // 2^power < size <= 2^(power + 1)
  const auto quarter = static_cast<uint32_t>((size - 1 - (std::size_t{1} << power)) >> (power - 2));
  return 4 * (power - 5) + quarter + 1;
}
std::size_t size_of(uint32_t list) {
  const std::size_t power = std::size_t{1} << (list / 4 + 5);
  return power + list % 4 * (power / 4);
}

class Lock {
 public:
  Lock() {
    while (busy.test_and_set(std::memory_order_acquire)) {
    }
  }
  ~Lock() { busy.clear(std::memory_order_release); }
};

void* start(void* memory, uint32_t list) {
  static_cast<Header*>(memory)->list = list;
  return static_cast<char*>(memory) + sizeof(Header);
}

void* allocate(std::size_t size) noexcept {
  const uint32_t list = size > largest ? no_list : list_of(size);
  if (list >= lists) {
    void* memory = size > SIZE_MAX - sizeof(Header) ? nullptr : std::malloc(size + sizeof(Header));
    return memory == nullptr ? nullptr : start(memory, no_list);
  }
  const std::size_t bytes = (size_of(list) + sizeof(Header) + 15) / 16 * 16;
  {
    const Lock lock;
    if (Free* found = free_objects[list]) {
      free_objects[list] = found->next;
      return found;
    }
    if (bytes <= chunk_bytes / 4) {
      if (static_cast<std::size_t>(chunk_end - chunk) < bytes) {
        chunk = static_cast<char*>(std::malloc(chunk_bytes));
        chunk_end = chunk == nullptr ? nullptr : chunk + chunk_bytes;
        if (chunk == nullptr) return nullptr;
      }
      void* memory = chunk;
      chunk += bytes;
      return start(memory, list);
    }
  }
  void* memory = std::malloc(bytes);
  return memory == nullptr ? nullptr : start(memory, list);
}

void give_back(void* object) noexcept {
  if (object == nullptr) return;
  void* memory = static_cast<char*>(object) - sizeof(Header);
  const uint32_t list = static_cast<Header*>(memory)->list;
  if (list == no_list) return std::free(memory);
  auto* freed = static_cast<Free*>(object);
  const Lock lock;
  freed->next = free_objects[list];
  free_objects[list] = freed;
}

}  // namespace

void* operator new(std::size_t size) {
  for (;;) {
    if (void* object = allocate(size)) return object;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}
void* operator new[](std::size_t size) {
  return operator new(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}
void operator delete(void* object) noexcept {
  give_back(object);
}
void operator delete[](void* object) noexcept {
  give_back(object);
}
void operator delete(void* object, std::size_t) noexcept {
  give_back(object);
}
void operator delete[](void* object, std::size_t) noexcept {
  give_back(object);
}
void operator delete(void* object, const std::nothrow_t&) noexcept {
  give_back(object);
}
void operator delete[](void* object, const std::nothrow_t&) noexcept {
  give_back(object);
}

#endif
