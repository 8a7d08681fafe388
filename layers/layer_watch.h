// Watching a network's layers as they run, for profilers.
#pragma once

#include <functional>

#include "layers/sequential.h"

namespace melgrad {

// Hears of every layer, or block of layers that run as one, of this thread's forward passes while it lives: also of those
// within layers that hold a network. One at a time in a thread.
class LayerWatch {
 public:
  // Layers first … first + count - 1 of the network.
  using Event = std::function<void(const Sequential& network, std::size_t first, std::size_t count)>;

  LayerWatch(Event before, Event after);
  ~LayerWatch();
  LayerWatch(const LayerWatch&) = delete;
  LayerWatch& operator=(const LayerWatch&) = delete;

  const Event before, after;

  static const LayerWatch* current();  // of this thread, or none
};

// Around the forward pass of some layers: tells the watch, if there is one.
class WatchedLayers {
 public:
  WatchedLayers(const Sequential& network, std::size_t first, std::size_t count)
      : network_(network), first_(first), count_(count) {
    if (const LayerWatch* watch = LayerWatch::current()) watch->before(network_, first_, count_);
  }
  ~WatchedLayers() {
    if (const LayerWatch* watch = LayerWatch::current()) watch->after(network_, first_, count_);
  }
  WatchedLayers(const WatchedLayers&) = delete;
  WatchedLayers& operator=(const WatchedLayers&) = delete;

 private:
  const Sequential& network_;
  std::size_t first_, count_;
};

}  // namespace melgrad
