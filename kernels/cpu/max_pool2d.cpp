// Max pooling on the CPU: vectors over channels, threads over rows of the output (forward) and of the input (backward).
//
// Forward keeps the best value and its tap in registers over the window. Backward gathers: an input element adds up the
// gradients of the windows that it won, so that nothing is scattered, dx is written once, and the order is fixed. Where
// windows do not overlap, each writes the elements that are its own.
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

// The window of one output: its taps inside x, and where the first of them reads.
struct Patch {
  Taps rows, columns;
  const float* first;
  int64_t row_step, column_step;  // from one tap to the next

  Patch(const Pool2dProblem& p, const float* x, int64_t i, int64_t j)
      : rows(p.rows, i, p.h),
        columns(p.columns, j, p.w),
        first(x + (p.rows.input(i, rows.first) * p.w + p.columns.input(j, columns.first)) * p.c),
        row_step(p.rows.dilation * p.w * p.c),
        column_step(p.columns.dilation * p.c) {}
  bool empty() const { return rows.first >= rows.last || columns.first >= columns.last; }
};

// body(value, tap) for a vector of channels at each tap of the window, in order.
template <class D, class Body>
void for_taps(D d, const Pool2dProblem& p, const Patch& patch, int64_t channel, const Body& body) {
  const hn::RebindToSigned<D> di;
  const float* row = patch.first + channel;
  for (int64_t r = patch.rows.first; r < patch.rows.last; ++r, row += patch.row_step) {
    const float* value = row;
    for (int64_t q = patch.columns.first; q < patch.columns.last; ++q, value += patch.column_step)
      body(hn::LoadU(d, value), hn::Set(di, static_cast<int32_t>(r * p.columns.size + q)));
  }
}

// One output, all channels: y and argmax point to its first.
void pool_position(const Pool2dProblem& p, const Patch& patch, float* y, int32_t* argmax) {
  for_channels(p.c, [&](auto d, int64_t channel) {
    const hn::RebindToSigned<decltype(d)> di;
    auto best = hn::Set(d, -std::numeric_limits<float>::infinity());
    auto winner = hn::Set(di, -1);
    if (!patch.empty()) {
      const int64_t first_tap = patch.rows.first * p.columns.size + patch.columns.first;
      winner = hn::Set(di, static_cast<int32_t>(first_tap));  // the first wins even if all are -inf
      auto any_nan = hn::IsNaN(best);
      for_taps(d, p, patch, channel, [&](auto value, auto tap) {
        const auto takes = hn::Lt(best, value);
        best = hn::IfThenElse(takes, value, best);
        winner = hn::IfThenElse(hn::RebindMask(di, takes), tap, winner);
        any_nan = hn::Or(any_nan, hn::IsNaN(value));
      });
      if (!hn::AllFalse(d, any_nan)) {  // rare, and not worth its cost in every step: the first NaN wins
        for_taps(d, p, patch, channel, [&](auto value, auto tap) {
          const auto takes = hn::And(hn::IsNaN(value), hn::Not(hn::IsNaN(best)));
          best = hn::IfThenElse(takes, value, best);
          winner = hn::IfThenElse(hn::RebindMask(di, takes), tap, winner);
        });
      }
    }
    hn::StoreU(best, d, y + channel);
    hn::StoreU(winner, di, argmax + channel);
  });
}

// Rows begin … end of y, counted over all samples.
void pool_rows(const Pool2dProblem& p, const float* x, float* y, int32_t* argmax, int64_t begin, int64_t end) {
  const int64_t h_out = p.h_out(), w_out = p.w_out();
  for (int64_t row = begin; row < end; ++row) {
    const float* sample = x + row / h_out * p.h * p.w * p.c;
    for (int64_t j = 0; j < w_out; ++j) {
      const int64_t output = (row * w_out + j) * p.c;
      pool_position(p, Patch(p, sample, row % h_out, j), y + output, argmax + output);
    }
  }
}

// A window that covers an element: where its output lies, and the tap that reads the element.
struct Reader {
  int64_t output;
  int32_t tap;
};

// One element of x, all channels: dy and argmax are of its sample, dx points to its first channel.
void gather_position(const std::vector<Reader>& readers, int64_t channels, const float* dy, const int32_t* argmax,
                     float* dx) {
  for_channels(channels, [&](auto d, int64_t channel) {
    const hn::RebindToSigned<decltype(d)> di;
    auto sum = hn::Zero(d);
    for (const Reader& reader : readers) {
      const auto winner = hn::LoadU(di, argmax + reader.output + channel);
      const auto won = hn::RebindMask(d, hn::Eq(winner, hn::Set(di, reader.tap)));
      sum = hn::Add(sum, hn::IfThenElseZero(won, hn::LoadU(d, dy + reader.output + channel)));
    }
    hn::StoreU(sum, d, dx + channel);
  });
}

// Rows begin … end of dx, counted over all samples.
void gather_rows(const Pool2dProblem& p, const Covers& rows, const Covers& columns, const float* dy,
                 const int32_t* argmax, float* dx, int64_t begin, int64_t end) {
  const int64_t w_out = p.w_out(), sample_outputs = p.h_out() * w_out * p.c;
  std::vector<Reader> readers;
  for (int64_t row = begin; row < end; ++row) {
    const int64_t sample = row / p.h * sample_outputs;
    for (int64_t j = 0; j < p.w; ++j) {
      readers.clear();
      for (const Cover& of_row : rows[static_cast<std::size_t>(row % p.h)])
        for (const Cover& of_column : columns[static_cast<std::size_t>(j)])
          readers.push_back({(of_row.output * w_out + of_column.output) * p.c,
                             static_cast<int32_t>(of_row.tap * p.columns.size + of_column.tap)});
      gather_position(readers, p.c, dy + sample, argmax + sample, dx + (row * p.w + j) * p.c);
    }
  }
}

// One window's part of one row of x, all channels: `taps` elements from dx on, of which the first has number `tap`.
void spread_position(int64_t channels, const float* dy, const int32_t* argmax, int32_t tap, int64_t taps, float* dx) {
  for_channels(channels, [&](auto d, int64_t channel) {
    const hn::RebindToSigned<decltype(d)> di;
    const auto winner = hn::LoadU(di, argmax + channel);
    const auto gradient = hn::LoadU(d, dy + channel);
    for (int64_t q = 0; q < taps; ++q) {
      const auto won = hn::RebindMask(d, hn::Eq(winner, hn::Set(di, tap + static_cast<int32_t>(q))));
      hn::StoreU(hn::IfThenElseZero(won, gradient), d, dx + q * channels + channel);
    }
  });
}

// Rows begin … end of dx, counted over all samples, of windows that do not overlap.
void spread_rows(const Pool2dProblem& p, const float* dy, const int32_t* argmax, float* dx, int64_t begin,
                 int64_t end) {
  const int64_t h_out = p.h_out(), w_out = p.w_out();
  for (int64_t row = begin; row < end; ++row) {
    const int64_t from_first = row % p.h + p.rows.pad_before;  // from the first tap of the first window
    const int64_t i = from_first / p.rows.stride, tap = from_first % p.rows.stride;
    float* out = dx + row * p.w * p.c;
    if (i >= h_out || tap >= p.rows.size) {
      std::fill_n(out, p.w * p.c, 0.0f);
      continue;
    }
    int64_t done = 0;
    for (int64_t j = 0; j < w_out; ++j) {
      const Taps columns(p.columns, j, p.w);
      const int64_t first = p.columns.input(j, columns.first);
      std::fill_n(out + done * p.c, (first - done) * p.c, 0.0f);
      const int64_t output = ((row / p.h * h_out + i) * w_out + j) * p.c;
      spread_position(p.c, dy + output, argmax + output, static_cast<int32_t>(tap * p.columns.size + columns.first),
                      columns.last - columns.first, out + first * p.c);
      done = first + columns.last - columns.first;
    }
    std::fill_n(out + done * p.c, (p.w - done) * p.c, 0.0f);
  }
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(pool_rows);
HWY_EXPORT(gather_rows);
HWY_EXPORT(spread_rows);

// Rows of about 16 thousand comparisons.
int64_t grain(int64_t row_comparisons) {
  return std::max<int64_t>(1, 16'384 / std::max<int64_t>(1, row_comparisons));
}

// How many windows an element lies in, about.
int64_t windows_over(const Window& window) {
  return (window.size + window.stride - 1) / window.stride;
}

// Whether each element lies in one window at most, and the elements of a window side by side.
bool apart(const Window& window) {
  return window.stride >= window.size && window.dilation == 1;
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

void forward(Stream& stream, const Pool2dProblem& p, ConstView x, View y, View argmax) {
  if (x.dtype == DType::f64) return reference::max_pool2d_forward<double>(p, x, y, argmax);
  parallel_for(stream.threads(), p.n * p.h_out(), grain(p.w_out() * p.c * p.rows.size * p.columns.size),
               [&](int64_t begin, int64_t end) {
                 HWY_DYNAMIC_DISPATCH(pool_rows)(p, x.as<float>(), y.as<float>(), argmax.as<int32_t>(), begin, end);
               });
}

void backward(Stream& stream, const Pool2dProblem& p, ConstView dy, ConstView argmax, View dx) {
  if (dy.dtype == DType::f64) return reference::max_pool2d_backward<double>(p, dy, argmax, dx);
  const int64_t chunk = grain(p.w * p.c * windows_over(p.rows) * windows_over(p.columns));
  if (apart(p.rows) && apart(p.columns)) {
    return parallel_for(stream.threads(), p.n * p.h, chunk, [&](int64_t begin, int64_t end) {
      HWY_DYNAMIC_DISPATCH(spread_rows)
      (p, dy.as<float>(), argmax.as<int32_t>(), dx.as<float>(), begin, end);
    });
  }
  const Covers rows = covers(p.rows, p.h), columns = covers(p.columns, p.w);
  parallel_for(stream.threads(), p.n * p.h, chunk, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(gather_rows)
    (p, rows, columns, dy.as<float>(), argmax.as<int32_t>(), dx.as<float>(), begin, end);
  });
}

}  // namespace

extern const MaxPool2dFunctions max_pool2d_functions;
const MaxPool2dFunctions max_pool2d_functions{forward, backward};

}  // namespace melgrad::cpu
#endif
