// Elementwise arithmetic with broadcasting.
//
// Algorithm: operands of y's shape go through kernels/cuda/map.h, four elements at a time. Where one repeats, a thread
// finds its element's place in each operand; axes that both operands walk alike are joined first, so the usual cases (a
// number a channel, a number a row, a scalar) cost a division or none, and that is a multiplication (Divider).
// Bottleneck: global memory; what repeats comes from the cache.
// Launch: blocks of 256 threads, enough to fill the GPU; no shared memory.
#include "kernels/cuda/map.h"
#include "kernels/cuda/walks.h"
#include "kernels/elementwise_formulas.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

template <Binary operation>
struct Combined {
  __device__ float operator()(float a, float b) const { return combine<operation>(a, b); }
};
struct Scaled {
  float factor;
  __device__ float operator()(float x) const { return factor * x; }
};

template <class Formula>
__global__ void __launch_bounds__(map_threads)
    broadcast_kernel(Formula formula, int64_t n, Walks<2> walks, Global<const float> a, Global<const float> b,
                     Global<float> y) {
  for_each_index(n, [&](int64_t i) {
    int64_t places[2];
    walks.at(i, places);
    y[i] = formula(a[places[0]], b[places[1]]);
  });
}

template <class Formula>
__global__ void __launch_bounds__(map_threads)
    repeat_kernel(Formula formula, int64_t n, Walks<1> walks, Global<const float> x, Global<float> y) {
  for_each_index(n, [&](int64_t i) {
    int64_t place[1];
    walks.at(i, place);
    y[i] = formula(x[place[0]]);
  });
}

void binary(Stream& stream, Binary operation, ConstView a, ConstView b, View y) {
  const int64_t n = y.numel();
  if (n == 0) return;
  with_binary(operation, [&]<Binary f>() {
    if (a.shape == y.shape && b.shape == y.shape) return map(stream, Combined<f>{}, y, a, b);
    const Walks<2> walks =
        joined_walks<2>(y.shape, {broadcast_walk(a.shape, y.shape), broadcast_walk(b.shape, y.shape)});
    launch<broadcast_kernel<Combined<f>>>(striding_blocks(n, map_threads), map_threads, 0, stream, Combined<f>{}, n,
                                          walks, global<const float>(a), global<const float>(b), global<float>(y));
  });
}

void scale(Stream& stream, double factor, ConstView x, View y) {
  const int64_t n = y.numel();
  if (n == 0) return;
  const Scaled scaled{static_cast<float>(factor)};
  if (x.shape == y.shape) return map(stream, scaled, y, x);
  launch<repeat_kernel<Scaled>>(striding_blocks(n, map_threads), map_threads, 0, stream, scaled, n,
                                joined_walks<1>(y.shape, {broadcast_walk(x.shape, y.shape)}), global<const float>(x),
                                global<float>(y));
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(ElementwiseFunctions, elementwise, binary, scale)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
