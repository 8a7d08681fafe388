// Max pooling on the CPU: vectors over channels, threads over rows of the output (forward) and of the input (backward).
//
// Forward keeps the best value and its tap in registers over the window. Backward gathers: an input element adds up the
// gradients of the windows that it won, so that nothing is scattered, dx is written once, and the order is fixed.
// Bound by the comparisons: one a tap and output.
#include <vector>

#include "kernels/reference/max_pool2d.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/max_pool2d.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef MELGRAD_KERNELS_CPU_MAX_POOL2D_ONCE
#define MELGRAD_KERNELS_CPU_MAX_POOL2D_ONCE
namespace melgrad::cpu {

// One element along an axis: which outputs' windows cover it, and with which tap.
struct Cover {
  int64_t output, tap;
};
using Covers = std::vector<std::vector<Cover>>;

}  // namespace melgrad::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// body(tag, channel) for all channels, in the widest vectors that fit.
template <class Body>
void for_channels(int64_t channels, const Body& body) {
  const hn::ScalableTag<float> wide;
  const hn::CappedTag<float, 4> narrow;
  const hn::CappedTag<float, 1> one;
  const auto wide_lanes = static_cast<int64_t>(hn::Lanes(wide)), narrow_lanes = static_cast<int64_t>(hn::Lanes(narrow));
  int64_t c = 0;
  for (; c + wide_lanes <= channels; c += wide_lanes) body(wide, c);
  for (; c + narrow_lanes <= channels; c += narrow_lanes) body(narrow, c);
  for (; c < channels; ++c) body(one, c);
}

// The taps `first` … `last` - 1 of a window at `position` that lie inside an axis of `length`.
struct Taps {
  int64_t first, last;

  Taps(const Window& window, int64_t position, int64_t length) {
    const int64_t start = window.input(position, 0), step = window.dilation;
    first = start >= 0 ? 0 : (-start + step - 1) / step;
    last = start >= length ? 0 : std::min(window.size, (length - start + step - 1) / step);
  }
};

// One position of one sample x: y and argmax point to its first channel.
void pool_position(const MaxPool2dProblem& p, const float* x, int64_t i, int64_t j, float* y, int32_t* argmax) {
  const Taps rows(p.rows, i, p.h), columns(p.columns, j, p.w);
  for_channels(p.c, [&](auto d, int64_t channel) {
    const hn::RebindToSigned<decltype(d)> di;
    auto best = hn::Set(d, -std::numeric_limits<float>::infinity());
    auto winner = hn::Set(di, -1);
    for (int64_t r = rows.first; r < rows.last; ++r) {
      for (int64_t q = columns.first; q < columns.last; ++q) {
        const auto tap = hn::Set(di, static_cast<int32_t>(r * p.columns.size + q));
        const auto value = hn::LoadU(d, x + (p.rows.input(i, r) * p.w + p.columns.input(j, q)) * p.c + channel);
        // max_pool_takes(); the first tap wins whatever it is.
        const auto loses = hn::Or(hn::Le(value, best), hn::IsNaN(best));
        const auto first = hn::MaskFromVec(hn::BitCast(d, hn::VecFromMask(di, hn::Lt(winner, hn::Zero(di)))));
        const auto takes = hn::Or(hn::Not(loses), first);
        best = hn::IfThenElse(takes, value, best);
        winner = hn::IfThenElse(hn::RebindMask(di, takes), tap, winner);
      }
    }
    hn::StoreU(best, d, y + channel);
    hn::StoreU(winner, di, argmax + channel);
  });
}

// Rows begin … end of y, counted over all samples.
void pool_rows(const MaxPool2dProblem& p, const float* x, float* y, int32_t* argmax, int64_t begin, int64_t end) {
  const int64_t h_out = p.h_out(), w_out = p.w_out();
  for (int64_t row = begin; row < end; ++row) {
    const float* sample = x + row / h_out * p.h * p.w * p.c;
    for (int64_t j = 0; j < w_out; ++j) {
      const int64_t output = (row * w_out + j) * p.c;
      pool_position(p, sample, row % h_out, j, y + output, argmax + output);
    }
  }
}

// One element of x, all channels: dy and argmax are of its sample, dx points to its first channel.
void gather_position(const MaxPool2dProblem& p, const std::vector<Cover>& rows, const std::vector<Cover>& columns,
                     const float* dy, const int32_t* argmax, float* dx) {
  const int64_t w_out = p.w_out();
  for_channels(p.c, [&](auto d, int64_t channel) {
    const hn::RebindToSigned<decltype(d)> di;
    auto sum = hn::Zero(d);
    for (const Cover& row : rows) {
      for (const Cover& column : columns) {
        const int64_t output = (row.output * w_out + column.output) * p.c + channel;
        const auto tap = hn::Set(di, static_cast<int32_t>(row.tap * p.columns.size + column.tap));
        const auto won = hn::RebindMask(d, hn::Eq(hn::LoadU(di, argmax + output), tap));
        sum = hn::Add(sum, hn::IfThenElseZero(won, hn::LoadU(d, dy + output)));
      }
    }
    hn::StoreU(sum, d, dx + channel);
  });
}

// Rows begin … end of dx, counted over all samples.
void gather_rows(const MaxPool2dProblem& p, const Covers& rows, const Covers& columns, const float* dy,
                 const int32_t* argmax, float* dx, int64_t begin, int64_t end) {
  const int64_t sample_outputs = p.h_out() * p.w_out() * p.c;
  for (int64_t row = begin; row < end; ++row) {
    const int64_t sample = row / p.h * sample_outputs;
    for (int64_t j = 0; j < p.w; ++j)
      gather_position(p, rows[static_cast<std::size_t>(row % p.h)], columns[static_cast<std::size_t>(j)], dy + sample,
                      argmax + sample, dx + (row * p.w + j) * p.c);
  }
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(pool_rows);
HWY_EXPORT(gather_rows);

// Rows of about 16 thousand comparisons.
int64_t grain(const MaxPool2dProblem& p, int64_t row_outputs) {
  return std::max<int64_t>(1, 16'384 / std::max<int64_t>(1, row_outputs * p.c * p.rows.size * p.columns.size));
}

Covers covers(const Window& window, int64_t length) {
  Covers of_element(static_cast<std::size_t>(length));
  for (int64_t output = 0; output < window.output(length); ++output) {
    for (int64_t tap = 0; tap < window.size; ++tap) {
      const int64_t element = window.input(output, tap);
      if (element >= 0 && element < length) of_element[static_cast<std::size_t>(element)].push_back({output, tap});
    }
  }
  return of_element;
}

void forward(Stream& stream, const MaxPool2dProblem& p, ConstView x, View y, View argmax) {
  if (x.dtype == DType::f64) return reference::max_pool2d_forward<double>(p, x, y, argmax);
  parallel_for(stream.threads(), p.n * p.h_out(), grain(p, p.w_out()), [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(pool_rows)(p, x.as<float>(), y.as<float>(), argmax.as<int32_t>(), begin, end);
  });
}

void backward(Stream& stream, const MaxPool2dProblem& p, ConstView dy, ConstView argmax, View dx) {
  if (dy.dtype == DType::f64) return reference::max_pool2d_backward<double>(p, dy, argmax, dx);
  const Covers rows = covers(p.rows, p.h), columns = covers(p.columns, p.w);
  parallel_for(stream.threads(), p.n * p.h, grain(p, p.w), [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(gather_rows)
    (p, rows, columns, dy.as<float>(), argmax.as<int32_t>(), dx.as<float>(), begin, end);
  });
}

}  // namespace

extern const MaxPool2dFunctions max_pool2d_functions;
const MaxPool2dFunctions max_pool2d_functions{forward, backward};

}  // namespace melgrad::cpu
#endif
