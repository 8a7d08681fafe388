// Initial weights.
//
// fan_in and fan_out are the numbers of connections into and out of one unit: for a dense weight (in, out) these two
// sizes; for a convolution (kernel…, in, out) both times the number of taps, as Keras and PyTorch count them.
#pragma once

#include "kernels/philox.h"
#include "tensor/tensor.h"

namespace melgrad {

enum class Initializer : uint8_t {
  glorot_uniform,  // ±sqrt(6/(fan_in + fan_out)): Glorot and Bengio, AISTATS 2010, eq. 16. Keras's default
  glorot_normal,   // deviation sqrt(2/(fan_in + fan_out))
  he_uniform,      // ±sqrt(6/fan_in)
  he_normal,       // deviation sqrt(2/fan_in): He et al., ICCV 2015, eq. 10
};

template <>
inline constexpr EnumNames<Initializer, 4> enum_names<Initializer>{{{Initializer::glorot_uniform, "glorot_uniform"},
                                                                    {Initializer::glorot_normal, "glorot_normal"},
                                                                    {Initializer::he_uniform, "he_uniform"},
                                                                    {Initializer::he_normal, "he_normal"}}};

struct Fans {
  int64_t in = 1, out = 1;
};

// A trainable tensor of `shape`. f32 and f64 get the same numbers, up to rounding; so do all devices.
Tensor initialize(Initializer initializer, const Shape& shape, const Fans& fans, Generator random, DType dtype,
                  Device device);

// A tensor of one value, trainable or not: biases, scales, running statistics.
Tensor constant_parameter(double value, const Shape& shape, bool trainable, DType dtype, Device device);

}  // namespace melgrad
