// The handles and descriptors that a library has given out. A use after destruction is an error, and a test can count
// what was never destroyed.
#pragma once

#include <mutex>
#include <set>
#include <string_view>

#include "kernels/error.h"

namespace melgrad::simt {

template <class T>
class LiveObjects {
 public:
  explicit LiveObjects(std::string_view name) : name_(name) {}

  T* create() {
    const std::lock_guard lock(mutex_);
    return *objects_.insert(new T).first;
  }
  void destroy(T* object) {
    check(object);
    const std::lock_guard lock(mutex_);
    objects_.erase(object);
    delete object;
  }
  // Throws where the object is none, or no more.
  void check(const T* object) const {
    const std::lock_guard lock(mutex_);
    require(objects_.contains(const_cast<T*>(object)), "simt: a {} that was destroyed or never created", name_);
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return objects_.size();
  }

 private:
  std::string_view name_;
  mutable std::mutex mutex_;
  std::set<T*> objects_;
};

// How many there are of each library.
std::size_t live_cublas_objects();
std::size_t live_cudnn_objects();
std::size_t live_cufft_objects();

}  // namespace melgrad::simt
