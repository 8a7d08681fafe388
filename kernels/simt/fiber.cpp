#include "kernels/simt/fiber.h"

#include <boost/context/preallocated.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace melgrad::simt {
namespace {

// Sanitizers make frames several times larger. Pages that are never touched cost nothing.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t stack_bytes = 512 * 1024;
#else
constexpr std::size_t stack_bytes = 128 * 1024;
#endif

// The two calls of AddressSanitizer's fiber interface: before a switch, with the stack that it leads to; and after it,
// on that stack, which learns what stack it was entered from.
#if defined(__SANITIZE_ADDRESS__)
void before_switch(void** own, const void* stack, std::size_t size) {
  __sanitizer_start_switch_fiber(own, stack, size);
}
void after_switch(void* own, const void** from, std::size_t* size) {
  __sanitizer_finish_switch_fiber(own, from, size);
}
#else
void before_switch(void**, const void*, std::size_t) {}
void after_switch(void*, const void**, std::size_t*) {}
#endif

// ThreadSanitizer's: each fiber is a thread of its own, and every switch is announced, before it, by where it leads to.
#if defined(__SANITIZE_THREAD__)
void* new_thread() {
  return __tsan_create_fiber(0);
}
void* current_thread() {
  return __tsan_get_current_fiber();
}
void announce_switch(void* to) {
  __tsan_switch_to_fiber(to, 0);
}
void end_thread(void* thread) {
  __tsan_destroy_fiber(thread);
}
#else
void* new_thread() {
  return nullptr;
}
void* current_thread() {
  return nullptr;
}
void announce_switch(void*) {}
void end_thread(void*) {}
#endif

}  // namespace

Fiber::Fiber(std::function<void()> body) : body_(std::move(body)), inside_thread_(new_thread()) {
  boost::context::protected_fixedsize_stack allocator(stack_bytes);
  const boost::context::stack_context stack = allocator.allocate();
  inside_stack_ = static_cast<const char*>(stack.sp) - stack.size;
  inside_size_ = stack.size;
  const auto entry = [this](boost::context::fiber&& outside) {
    outside_ = std::move(outside);
    after_switch(nullptr, &outside_stack_, &outside_size_);
    body_();
    before_switch(nullptr, outside_stack_, outside_size_);  // null: this stack is not come back to
    announce_switch(outside_thread_);
    return std::move(outside_);
  };
  inside_ = boost::context::fiber(std::allocator_arg, boost::context::preallocated(stack.sp, stack.size, stack),
                                  allocator, entry);
}

Fiber::~Fiber() {
  end_thread(inside_thread_);
}

void Fiber::resume() {
  void* own = nullptr;
  outside_thread_ = current_thread();
  before_switch(&own, inside_stack_, inside_size_);
  announce_switch(inside_thread_);
  inside_ = std::move(inside_).resume();
  after_switch(own, nullptr, nullptr);
}

void Fiber::suspend() {
  void* own = nullptr;
  before_switch(&own, outside_stack_, outside_size_);
  announce_switch(outside_thread_);
  outside_ = std::move(outside_).resume();
  after_switch(own, &outside_stack_, &outside_size_);
}

}  // namespace melgrad::simt
