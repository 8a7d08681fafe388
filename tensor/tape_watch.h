// Watching this thread's tape, for profilers: which operations a piece of code records, and when each of them walks back.
#pragma once

#include "tensor/autograd.h"

namespace melgrad {

// Hears of every node while it lives. One at a time in a thread.
class TapeWatch {
 public:
  using Event = std::function<void(const Node& node)>;

  TapeWatch(Event recorded,  // an operation has left this node
            Event walks);    // the backward function of this node runs next
  ~TapeWatch();
  TapeWatch(const TapeWatch&) = delete;
  TapeWatch& operator=(const TapeWatch&) = delete;

  const Event recorded, walks;

  static const TapeWatch* current();  // of this thread, or none
};

}  // namespace melgrad
