// Activations: y = f(x), element by element.
//
// Algorithm: a thread takes four neighbouring elements, in one 16-byte load and one 16-byte store; the thread at the
// end takes what is left of four, one by one. Views that do not start at 16 bytes go one by one throughout.
// Bottleneck: global memory. Forward moves 8 bytes an element, backward 12.
// Launch: blocks of 256 threads, as many as cover the elements; no shared memory.
#include "kernels/activation_formulas.h"
#include "kernels/cuda/portability.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int threads = 256;
constexpr int per_thread = 4;

template <Activation function, bool vectorised>
__global__ void activation_forward_kernel(Global<const float> x, Global<float> y, float alpha, int64_t n) {
  const int64_t quad = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const int64_t begin = quad * per_thread;
  if (vectorised && begin + per_thread <= n) {
    const float4 in = vector_cast<const float4>(x)[quad];
    vector_cast<float4>(y)[quad] = make_float4(activate<function>(in.x, alpha), activate<function>(in.y, alpha),
                                               activate<function>(in.z, alpha), activate<function>(in.w, alpha));
    return;
  }
  for (int64_t i = begin; i < begin + per_thread && i < n; ++i) y[i] = activate<function>(x[i], alpha);
}

template <Activation function, bool vectorised>
__global__ void activation_backward_kernel(Global<const float> y, Global<const float> dy, Global<float> dx, float alpha,
                                           int64_t n) {
  const int64_t quad = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const int64_t begin = quad * per_thread;
  if (vectorised && begin + per_thread <= n) {
    const float4 out = vector_cast<const float4>(y)[quad];
    const float4 gradient = vector_cast<const float4>(dy)[quad];
    vector_cast<float4>(dx)[quad] = make_float4(activation_gradient<function>(out.x, gradient.x, alpha),
                                                activation_gradient<function>(out.y, gradient.y, alpha),
                                                activation_gradient<function>(out.z, gradient.z, alpha),
                                                activation_gradient<function>(out.w, gradient.w, alpha));
    return;
  }
  for (int64_t i = begin; i < begin + per_thread && i < n; ++i) {
    dx[i] = activation_gradient<function>(y[i], dy[i], alpha);
  }
}

void forward(Stream& stream, ActivationChoice choice, ConstView x, View y) {
  const int64_t n = x.numel();
  if (n == 0) return;
  const unsigned blocks = blocks_for(n, threads * per_thread);
  const auto alpha = static_cast<float>(choice.alpha);
  with_activation(choice.function, [&]<Activation f>() {
    const auto run = [&]<bool vectorised>() {
      launch<activation_forward_kernel<f, vectorised>>(blocks, threads, 0, stream, global<const float>(x),
                                                       global<float>(y), alpha, n);
    };
    aligned_for_float4(x, y) ? run.template operator()<true>() : run.template operator()<false>();
  });
}

void backward(Stream& stream, ActivationChoice choice, ConstView y, ConstView dy, View dx) {
  const int64_t n = y.numel();
  if (n == 0) return;
  const unsigned blocks = blocks_for(n, threads * per_thread);
  const auto alpha = static_cast<float>(choice.alpha);
  with_activation(choice.function, [&]<Activation f>() {
    const auto run = [&]<bool vectorised>() {
      launch<activation_backward_kernel<f, vectorised>>(blocks, threads, 0, stream, global<const float>(y),
                                                        global<const float>(dy), global<float>(dx), alpha, n);
    };
    aligned_for_float4(y, dy, dx) ? run.template operator()<true>() : run.template operator()<false>();
  });
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(ActivationFunctions, activation, forward, backward)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
