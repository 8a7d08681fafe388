#include "bench/operation_arrays.h"

#include "kernels/memory.h"

namespace melgrad::bench {
namespace {

template <class T>
void draw(const test::InputSpec& spec, uint32_t stream, const View& view) {
  Generator random(1, Draw::test, stream);
  T* values = view.as<T>();
  for (int64_t i = 0; i < view.numel(); ++i) values[i] = static_cast<T>(static_cast<float>(spec.fill(random, false)));
}

}  // namespace

void Arrays::add(const Shape& shape, DType dtype) {
  View view{nullptr, shape, dtype, device};
  buffers.push_back(arena(device).allocate(view.bytes()));
  view.data = buffers.back().data();
  views.push_back(view);
}

Arrays copied_to(Device device, const Arrays& from) {
  Arrays arrays{device};
  for (const View& view : from.views) {
    arrays.add(view.shape, view.dtype);
    copy(view, arrays.views.back());
  }
  return arrays;
}

Arrays make_inputs(const test::OperationCase& operation, DType dtype, Device device) {
  Arrays arrays;
  for (const test::InputSpec& spec : operation.inputs) {
    const auto stream = static_cast<uint32_t>(arrays.views.size());
    arrays.add(spec.shape, spec.is_index ? DType::i32 : dtype);
    if (spec.is_index) {
      draw<int32_t>(spec, stream, arrays.views.back());
    } else {
      dtype == DType::f64 ? draw<double>(spec, stream, arrays.views.back())
                          : draw<float>(spec, stream, arrays.views.back());
    }
  }
  return device == Device::cpu ? std::move(arrays) : copied_to(device, arrays);
}

Arrays make_outputs(const test::OperationCase& operation, DType dtype, Device device) {
  Arrays arrays{device};
  for (const test::OutputSpec& spec : operation.outputs) {
    arrays.add(spec.shape, spec.dtype == DType::f32 ? dtype : spec.dtype);
    fill(arrays.views.back(), 0);
  }
  return arrays;
}

}  // namespace melgrad::bench
