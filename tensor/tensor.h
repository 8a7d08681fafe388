// Tensor: a handle to shared memory with a shape, and a place on the autograd tape.
//
// Copies of a Tensor are the same tensor. Memory is row-major and contiguous. See tensor/autograd.h for the tape.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "kernels/arena.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

struct Node;

// Memory that tensors share: a tensor and its reshapes and detached copies.
struct Storage {
  Buffer buffer;
  std::atomic<uint64_t> version = 0;  // counts writes, so that backward notices a saved tensor that has changed since
};

class Tensor {
 public:
  Tensor() = default;  // undefined; everything but defined() throws

  // Unset memory, zeros, and one value everywhere.
  static Tensor empty(const Shape& shape, DType dtype = DType::f32, Device device = Device::cpu);
  static Tensor zeros(const Shape& shape, DType dtype = DType::f32, Device device = Device::cpu);
  static Tensor full(const Shape& shape, double value, DType dtype = DType::f32, Device device = Device::cpu);
  static Tensor empty_like(const Tensor& other) { return empty(other.shape(), other.dtype(), other.device()); }
  static Tensor zeros_like(const Tensor& other) { return zeros(other.shape(), other.dtype(), other.device()); }
  // A copy of host numbers.
  template <class T>
  static Tensor from(std::span<const T> values, const Shape& shape, Device device = Device::cpu) {
    require(static_cast<int64_t>(values.size()) == shape.numel(), "tensor: {} values for shape {}", values.size(),
            shape.to_string());
    return copy_of(ConstView{values.data(), shape, dtype_of<T>, Device::cpu}, device);
  }
  template <class T>
  static Tensor from(const std::vector<T>& values, const Shape& shape, Device device = Device::cpu) {
    return from(std::span<const T>(values), shape, device);
  }
  static Tensor copy_of(ConstView source, Device device);

  bool defined() const { return impl_ != nullptr; }
  const Shape& shape() const;
  DType dtype() const;
  Device device() const;
  int64_t numel() const { return shape().numel(); }
  Stream& stream() const { return default_stream(device()); }

  // For reading. For writing: counts as a change, which backward refuses if it needs the old values.
  ConstView view() const;
  View mutable_view();
  template <class T>
  std::span<const T> data() const {
    require(device() == Device::cpu, "tensor: memory of {} cannot be read here; use to(Device::cpu)",
            name_of(device()));
    return {view().as<T>(), static_cast<std::size_t>(numel())};
  }
  template <class T>
  std::span<T> mutable_data() {
    require(device() == Device::cpu, "tensor: memory of {} cannot be written here", name_of(device()));
    return {mutable_view().as<T>(), static_cast<std::size_t>(numel())};
  }
  // The one element of a tensor that has one.
  double item() const;

  // Same memory, another shape, off the tape. (reshape() in tensor/ops/reshape.h is the differentiable one.)
  Tensor with_shape(const Shape& shape) const;
  Tensor detach() const { return with_shape(shape()); }
  // A copy on another device, off the tape.
  Tensor to(Device device) const { return copy_of(view(), device); }
  Tensor clone() const { return to(device()); }

  // Autograd. A leaf is a tensor that no recorded operation made: a parameter, an input.
  bool requires_grad() const;
  Tensor& set_requires_grad(bool value = true);
  // The gradient that backward() has accumulated here; undefined before.
  Tensor grad() const;
  void set_grad(Tensor gradient);
  void zero_grad() { set_grad(Tensor()); }
  // The gradient of this scalar with respect to every leaf behind it that requires one; adds to their grad().
  void backward() const;

  const std::shared_ptr<Node>& node() const;
  const std::shared_ptr<Storage>& storage() const;
  // Whether no other handle and no other tensor sees this memory.
  bool sole_owner() const { return impl_.use_count() == 1 && storage().use_count() == 1; }
  bool same_as(const Tensor& other) const { return impl_ == other.impl_; }

 private:
  friend Tensor record(Tensor output, std::shared_ptr<Node> node);
  struct Impl;
  Impl& impl() const;
  std::shared_ptr<Impl> impl_;
};

}  // namespace melgrad
