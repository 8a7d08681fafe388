#include "tensor/tensor.h"

#include "kernels/memory.h"
#include "tensor/autograd.h"

namespace melgrad {

struct Tensor::Impl {
  std::shared_ptr<Storage> storage;
  Shape shape;
  DType dtype = DType::f32;
  Device device = Device::cpu;
  bool requires_grad = false;
  Tensor grad;
  std::shared_ptr<Node> node;  // null for a leaf
};

Tensor::Impl& Tensor::impl() const {
  require(impl_ != nullptr, "tensor: used before it was given a value");
  return *impl_;
}

Tensor Tensor::empty(const Shape& shape, DType dtype, Device device) {
  Tensor tensor;
  tensor.impl_ = std::make_shared<Impl>();
  tensor.impl_->storage = std::make_shared<Storage>();
  tensor.impl_->storage->buffer = arena(device).allocate(shape.numel() * size_of(dtype));
  tensor.impl_->shape = shape;
  tensor.impl_->dtype = dtype;
  tensor.impl_->device = device;
  return tensor;
}

Tensor Tensor::full(const Shape& shape, double value, DType dtype, Device device) {
  Tensor tensor = empty(shape, dtype, device);
  fill(tensor.mutable_view(), value);
  return tensor;
}

Tensor Tensor::zeros(const Shape& shape, DType dtype, Device device) {
  return full(shape, 0, dtype, device);
}

Tensor Tensor::copy_of(ConstView source, Device device) {
  Tensor tensor = empty(source.shape, source.dtype, device);
  copy(source, tensor.mutable_view());
  return tensor;
}

const Shape& Tensor::shape() const {
  return impl().shape;
}
DType Tensor::dtype() const {
  return impl().dtype;
}
Device Tensor::device() const {
  return impl().device;
}
const std::shared_ptr<Storage>& Tensor::storage() const {
  return impl().storage;
}
const std::shared_ptr<Node>& Tensor::node() const {
  return impl().node;
}

ConstView Tensor::view() const {
  const Impl& i = impl();
  return {i.storage->buffer.data(), i.shape, i.dtype, i.device};
}

View Tensor::mutable_view() {
  const Impl& i = impl();
  ++i.storage->version;
  return {i.storage->buffer.data(), i.shape, i.dtype, i.device};
}

double Tensor::item() const {
  if (numel() != 1) fail("item: the tensor is {}, expected one element", shape().to_string());
  const Tensor host = device() == Device::cpu ? *this : to(Device::cpu);
  switch (dtype()) {
    case DType::f32:
      return host.data<float>()[0];
    case DType::f64:
      return host.data<double>()[0];
    case DType::i32:
      return host.data<int32_t>()[0];
    case DType::u8:
      return host.data<uint8_t>()[0];
  }
  return 0;
}

Tensor Tensor::with_shape(const Shape& shape) const {
  if (shape.numel() != numel()) {
    fail("reshape: {} does not hold as many elements as {}", shape.to_string(), this->shape().to_string());
  }
  Tensor tensor;
  tensor.impl_ = std::make_shared<Impl>();
  tensor.impl_->storage = impl().storage;
  tensor.impl_->shape = shape;
  tensor.impl_->dtype = dtype();
  tensor.impl_->device = device();
  return tensor;
}

bool Tensor::requires_grad() const {
  return impl().requires_grad;
}

Tensor& Tensor::set_requires_grad(bool value) {
  if (impl().node != nullptr) {
    fail("set_requires_grad: only for leaves; this tensor is the result of {}", impl().node->operation);
  }
  require(!value || dtype() == DType::f32 || dtype() == DType::f64, "set_requires_grad: {} has no gradient",
          name_of(dtype()));
  impl().requires_grad = value;
  return *this;
}

Tensor Tensor::grad() const {
  return impl().grad;
}

void Tensor::set_grad(Tensor gradient) {
  if (gradient.defined()) {
    require(gradient.shape() == shape() && gradient.dtype() == dtype() && gradient.device() == device(),
            "set_grad: the gradient is {} {}, the tensor {} {}", gradient.shape().to_string(),
            name_of(gradient.dtype()), shape().to_string(), name_of(dtype()));
  }
  impl().grad = std::move(gradient);
}

Tensor record(Tensor output, std::shared_ptr<Node> node) {
  output.impl().requires_grad = true;
  output.impl().node = std::move(node);
  return output;
}

}  // namespace melgrad
