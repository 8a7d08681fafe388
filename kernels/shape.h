// Shape: the sizes of a row-major, contiguous array, outermost first. Up to rank 6; a scalar has rank 0.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "kernels/error.h"

namespace melgrad {

class Shape {
 public:
  static constexpr int64_t max_rank = 6;

  constexpr Shape() = default;
  Shape(std::initializer_list<int64_t> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
  explicit Shape(std::span<const int64_t> sizes) {
    require(sizes.size() <= max_rank, "shape: rank {} is above {}", sizes.size(), max_rank);
    for (int64_t size : sizes) append(size);
  }

  constexpr int64_t rank() const { return rank_; }
  int64_t operator[](int64_t axis) const {
    if (axis < -rank_ || axis >= rank_) fail("shape {}: no axis {}", to_string(), axis);
    return sizes_[axis < 0 ? axis + rank_ : axis];
  }
  constexpr int64_t numel() const {
    int64_t product = 1;
    for (int64_t i = 0; i < rank_; ++i) product *= sizes_[i];
    return product;
  }
  constexpr const int64_t* begin() const { return sizes_.data(); }
  constexpr const int64_t* end() const { return sizes_.data() + rank_; }

  void append(int64_t size) {
    require(rank_ < max_rank, "shape: rank above {}", max_rank);
    require(size >= 0, "shape: negative size {}", size);
    sizes_[rank_++] = size;
  }
  // The shape with another size in front: a batch of these.
  Shape with_batch(int64_t batch) const {
    Shape shape{batch};
    for (int64_t size : *this) shape.append(size);
    return shape;
  }
  // The shape without its first size: one sample of a batch.
  Shape without_batch() const {
    require(rank_ > 0, "shape: a scalar has no batch");
    return Shape(std::span(begin() + 1, end()));
  }

  // "(32, 130, 13, 1)"
  std::string to_string() const {
    std::string text = "(";
    for (int64_t i = 0; i < rank_; ++i) {
      if (i > 0) text += ", ";
      text += std::to_string(sizes_[i]);
    }
    return text + ")";
  }

  constexpr bool operator==(const Shape& other) const {
    if (rank_ != other.rank_) return false;
    for (int64_t i = 0; i < rank_; ++i)
      if (sizes_[i] != other.sizes_[i]) return false;
    return true;
  }

 private:
  std::array<int64_t, max_rank> sizes_{};
  int64_t rank_ = 0;
};

}  // namespace melgrad
