// Initial weights.
//
// fan_in and fan_out are the numbers of connections into and out of one unit: for a dense weight (in, out) these two
// sizes; for a convolution (kernel…, in, out) both times the number of taps, as Keras and PyTorch count them (`in` being
// the channels of one group). Normal means normal, not truncated. Orthogonal takes the weight as the matrix (…, out).
#pragma once

#include "kernels/philox.h"
#include "tensor/tensor.h"

namespace melgrad {

enum class Initializer : uint8_t {
  glorot_uniform,  // ±sqrt(6/(fan_in + fan_out)): Glorot and Bengio, AISTATS 2010, eq. 16. Keras's default
  glorot_normal,   // deviation sqrt(2/(fan_in + fan_out))
  he_uniform,      // ±sqrt(6/fan_in)
  he_normal,       // deviation sqrt(2/fan_in): He et al., ICCV 2015, eq. 10
  lecun_uniform,   // ±sqrt(3/fan_in)
  lecun_normal,    // deviation sqrt(1/fan_in): LeCun et al., "Efficient BackProp", 1998, section 4.6
  orthogonal,      // rows or columns, whichever are fewer, orthonormal: Saxe, McClelland and Ganguli, ICLR 2014
};

template <>
inline constexpr EnumNames<Initializer, 7> enum_names<Initializer>{{{Initializer::glorot_uniform, "glorot_uniform"},
                                                                    {Initializer::glorot_normal, "glorot_normal"},
                                                                    {Initializer::he_uniform, "he_uniform"},
                                                                    {Initializer::he_normal, "he_normal"},
                                                                    {Initializer::lecun_uniform, "lecun_uniform"},
                                                                    {Initializer::lecun_normal, "lecun_normal"},
                                                                    {Initializer::orthogonal, "orthogonal"}}};

struct Fans {
  int64_t in = 1, out = 1;
};
// Of a weight (kernel…, in, out).
Fans fans_of(const Shape& weight);

// A trainable tensor of `shape`. f32 and f64 get the same numbers, up to rounding; so do all devices.
Tensor initialize(Initializer initializer, const Shape& shape, const Fans& fans, Generator random, DType dtype,
                  Device device);

// A tensor of one value, trainable or not: biases, scales, running statistics.
Tensor constant_parameter(double value, const Shape& shape, bool trainable, DType dtype, Device device);

}  // namespace melgrad
