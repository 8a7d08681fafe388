#include "layers/layer_watch.h"

namespace melgrad {
namespace {

thread_local const LayerWatch* watching = nullptr;

}  // namespace

LayerWatch::LayerWatch(Event before_event, Event after_event)
    : before(std::move(before_event)), after(std::move(after_event)) {
  require(watching == nullptr, "layer watch: there is one in this thread already");
  watching = this;
}

LayerWatch::~LayerWatch() {
  watching = nullptr;
}

const LayerWatch* LayerWatch::current() {
  return watching;
}

}  // namespace melgrad
