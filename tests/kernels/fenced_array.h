// Arrays whose surroundings are watched: what an operation's checks give it to read and to write.
#pragma once

#include <vector>

#include "kernels/arena.h"
#include "kernels/view.h"

namespace melgrad::test {

// The side of a host's array that lies at a page which may be neither read nor written.
enum class Fence { before, behind };

// Starts as NaN. On the host it touches a forbidden page on one side, so that to read or write past it ends the program;
// simt's engine refuses any access outside an array; on the other side, and on a GPU on both, canaries tell of writing.
class FencedArray {
 public:
  FencedArray(const Shape& shape, DType dtype, Device device, Fence fence = Fence::behind);
  FencedArray(FencedArray&& other) noexcept;
  FencedArray& operator=(FencedArray&&) = delete;
  ~FencedArray();

  View view() const { return view_; }
  void set(const std::vector<double>& values);
  std::vector<double> values() const;
  bool canaries_live() const;

 private:
  void take_memory(Fence fence);

  Buffer buffer_;          // a device's
  void* pages_ = nullptr;  // the host's
  int64_t bytes_ = 0;      // of both without forbidden pages: the array and its canaries
  int64_t before_ = 0;     // canaries before the array
  View view_;
};

// Some of them, as operations take them.
struct FencedArrays {
  std::vector<FencedArray> arrays;
  std::vector<View> views;
  std::vector<ConstView> const_views;

  void add(const Shape& shape, DType dtype, Device device, Fence fence = Fence::behind);
};

}  // namespace melgrad::test
