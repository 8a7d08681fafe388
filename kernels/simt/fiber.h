// Fiber: a function with a stack of its own, which can be left in the middle and gone on with later.
#pragma once

#include <boost/context/fiber.hpp>
#include <cstddef>
#include <functional>

namespace melgrad::simt {

// resume() and suspend() are called on one host thread. Tells AddressSanitizer and ThreadSanitizer of every change of
// stacks, which they would otherwise take for an overflow, or lose track of.
class Fiber {
 public:
  // `body` runs at the first resume(). It must have returned before the fiber is destroyed, and must not throw.
  explicit Fiber(std::function<void()> body);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  void resume();   // from outside: runs the body until it suspends or returns
  void suspend();  // from inside the body: back to whoever called resume()

 private:
  std::function<void()> body_;
  boost::context::fiber inside_;  // the body, while it is suspended
  boost::context::fiber outside_;
  const void* inside_stack_ = nullptr;
  std::size_t inside_size_ = 0;
  const void* outside_stack_ = nullptr;
  std::size_t outside_size_ = 0;
  void* inside_thread_ = nullptr;  // ThreadSanitizer's
  void* outside_thread_ = nullptr;
};

}  // namespace melgrad::simt
