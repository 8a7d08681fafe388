// Reductions over any axes.
//
// Algorithm: the last axis, if it is kept, gives the channels; each combination of the other kept axes is a matrix
// (terms, channels), wherever in x its terms lie, and kernels/cuda/columns.h reduces it down its columns. Of few terms a
// thread reduces an output by itself. The gradient of the maximum reduces likewise, to the number of the first term
// that equals it, and then writes dy there and 0 elsewhere.
// Bottleneck: global memory, each element read once.
// Launch: as columns.h says; or blocks of 256 threads, enough to fill the GPU.
#include <limits>

#include "kernels/cuda/columns.h"
#include "kernels/cuda/walks.h"
#include "kernels/reduce.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int threads = 256;
constexpr int64_t few_terms = 32;  // a warp's worth: fewer would leave most of a block idle

// Where the terms of an output lie.
struct Terms {
  int64_t matrices = 1, terms = 1, channels = 1;
  Walks<1> kept, reduced;

  Terms(const Shape& x, const Shape& y) {
    const Walk dense = contiguous_walk(x);
    Shape kept_shape, reduced_shape;
    Walk kept_walk, reduced_walk;
    for (int64_t axis = 0; axis < x.rank(); ++axis) {
      if (x[axis] == 1) continue;
      const int64_t stride = dense.strides[static_cast<std::size_t>(axis)];
      const bool keeps = y[axis] == x[axis];
      if (keeps && axis + 1 == x.rank()) {
        channels = x[axis];
        continue;
      }
      Shape& shape = keeps ? kept_shape : reduced_shape;
      (keeps ? kept_walk : reduced_walk).strides[static_cast<std::size_t>(shape.rank())] = stride;
      shape.append(x[axis]);
    }
    matrices = kept_shape.numel();
    terms = reduced_shape.numel();
    kept = joined_walks<1>(kept_shape, {kept_walk});
    reduced = joined_walks<1>(reduced_shape, {reduced_walk});
  }

  __device__ __forceinline__ int64_t element(int64_t matrix, int64_t term, int64_t channel) const {
    int64_t at_kept[1], at_reduced[1];
    kept.at(matrix, at_kept);
    reduced.at(term, at_reduced);
    return at_kept[0] + at_reduced[0] + channel;
  }
};

template <bool maximum>
struct Reduced {
  using Value = float;
  Terms terms;
  Global<const float> x;

  __device__ static float none() { return maximum ? -INFINITY : 0.0f; }
  __device__ static float combine(float a, float b) { return maximum ? larger(a, b) : a + b; }
  __device__ void add(float& value, int64_t matrix, int64_t term, int64_t channel) const {
    value = combine(value, x[terms.element(matrix, term, channel)]);
  }
};

// The number of the first term that is the maximum; there is one.
struct FirstMaximum {
  using Value = int64_t;
  Terms terms;
  Global<const float> x, y;

  __device__ static int64_t none() { return std::numeric_limits<int64_t>::max(); }
  __device__ static int64_t combine(int64_t a, int64_t b) { return a < b ? a : b; }
  __device__ void add(int64_t& first, int64_t matrix, int64_t term, int64_t channel) const {
    const float value = x[terms.element(matrix, term, channel)], maximum = y[matrix * terms.channels + channel];
    const bool equal = value == maximum || (value != value && maximum != maximum);
    if (equal && term < first) first = term;
  }
};

struct StoreScaled {
  Global<float> y;
  int64_t channels;
  float scale;
  __device__ void operator()(int64_t matrix, int64_t, int64_t channel, float value) const {
    y[matrix * channels + channel] = value * scale;
  }
};

struct StoreFirst {
  Global<int64_t> first;
  int64_t channels;
  __device__ void operator()(int64_t matrix, int64_t, int64_t channel, int64_t value) const {
    first[matrix * channels + channel] = value;
  }
};

template <class Source, class Finish>
__global__ void __launch_bounds__(threads)
    reduce_few_kernel(Source source, Finish finish, int64_t outputs, Divider channels) {
  for_each_index(outputs, [&](int64_t matrix) {
    const int64_t channel = channels.split(matrix);
    typename Source::Value value = Source::none();
    for (int64_t term = 0; term < source.terms.terms; ++term) source.add(value, matrix, term, channel);
    finish(matrix, 0, channel, value);
  });
}

template <class Source, class Finish>
void reduce_terms(Stream& stream, const Source& source, const Finish& finish) {
  const Terms& terms = source.terms;
  const int64_t outputs = terms.matrices * terms.channels;
  if (terms.terms > few_terms)
    return reduce_columns(stream, terms.matrices, terms.terms, terms.channels, source, finish);
  launch<reduce_few_kernel<Source, Finish>>(striding_blocks(outputs, threads), threads, 0, stream, source, finish,
                                            outputs, Divider(terms.channels));
}

void run(Stream& stream, Reduction reduction, ConstView x, View y) {
  if (y.numel() == 0) return;
  const Terms terms(x.shape, y.shape);
  const float scale = reduction == Reduction::mean ? static_cast<float>(1 / static_cast<double>(terms.terms)) : 1.0f;
  const StoreScaled store{global<float>(y), terms.channels, scale};
  if (reduction == Reduction::max) return reduce_terms(stream, Reduced<true>{terms, global<const float>(x)}, store);
  reduce_terms(stream, Reduced<false>{terms, global<const float>(x)}, store);
}

__global__ void __launch_bounds__(threads)
    reduce_max_backward_kernel(Terms terms, Divider channels, Divider term_count, int64_t n,
                               Global<const int64_t> first, Global<const float> dy, Global<float> dx) {
  for_each_index(n, [&](int64_t index) {
    const int64_t channel = channels.split(index);
    const int64_t term = term_count.split(index);
    const int64_t output = index * terms.channels + channel;
    float gradient = 0.0f;
    if (first[output] == term) gradient = dy[output];
    dx[terms.element(index, term, channel)] = gradient;
  });
}

void max_backward(Stream& stream, ConstView x, ConstView y, ConstView dy, View dx) {
  if (x.numel() == 0) return;
  const Terms terms(x.shape, y.shape);
  const Buffer buffer = stream.workspace(y.numel() * static_cast<int64_t>(sizeof(int64_t)));
  const Global<int64_t> first = global<int64_t>(buffer);
  reduce_terms(stream, FirstMaximum{terms, global<const float>(x), global<const float>(y)},
               StoreFirst{first, terms.channels});
  launch<reduce_max_backward_kernel>(striding_blocks(x.numel(), threads), threads, 0, stream, terms,
                                     Divider(terms.channels), Divider(terms.terms), x.numel(), first,
                                     global<const float>(dy), global<float>(dx));
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(ReduceFunctions, reduce, run, max_backward)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
