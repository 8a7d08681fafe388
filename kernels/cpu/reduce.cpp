// Reductions on the CPU.
//
// Neighbouring axes that are both reduced or both kept are one axis. What remains alternates, so x is a grid of
// contiguous blocks (rows, channels) whose rows are reduced: channels is 1 if the last axis is reduced. Chunks of
// blocks give partial results, the tasks of the thread pool; a second pass folds those of each output, in order.
#include <algorithm>
#include <vector>

#include "kernels/cpu/columns.h"
#include "kernels/cpu/vectorize.h"
#include "kernels/reference/reduce.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/reduce.cpp"
#include <hwy/foreach_target.h>
// Below foreach_target.h, which includes this file again for each target.
#include "kernels/cpu/columns-inl.h"

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

// Partial results of the columns of the wide rows.
void reduce_columns_of(Reduction reduction, const float* x, int64_t n, int64_t width, float* out) {
  auto term = [x](auto d, int64_t i, int64_t) { return hn::LoadU(d, x + i); };
  if (reduction == Reduction::max)
    reduce_columns(MaximumOfColumns(), n, width, out, term);
  else
    reduce_columns(AddColumns(), n, width, out, term);
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(reduce_columns_of);

// One of the axes around the blocks.
struct Axis {
  int64_t size = 1;
  bool reduced = false;
  int64_t stride = 0;  // in blocks: of x; of the outputs where kept
};

struct Plan {
  std::vector<Axis> kept, reduced;  // the axes around the blocks
  int64_t rows = 1, channels = 1;   // of a block
  int64_t outputs = 1, terms = 1;   // blocks of outputs, and how many blocks of x make one
};

std::vector<Axis> merged_axes(const Shape& x, const Shape& y) {
  std::vector<Axis> axes;
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (x[i] == 1) continue;
    const bool reduced = y[i] == 1;
    if (!axes.empty() && axes.back().reduced == reduced)
      axes.back().size *= x[i];
    else
      axes.push_back({x[i], reduced});
  }
  return axes;
}

Plan make_plan(const Shape& x, const Shape& y) {
  std::vector<Axis> axes = merged_axes(x, y);
  Plan plan;
  if (!axes.empty() && !axes.back().reduced) {
    plan.channels = axes.back().size;
    axes.pop_back();
  }
  if (!axes.empty()) {
    plan.rows = axes.back().size;
    axes.pop_back();
  }
  int64_t stride = 1;
  for (std::size_t i = axes.size(); i-- > 0;) {
    axes[i].stride = stride;
    stride *= axes[i].size;
    (axes[i].reduced ? plan.reduced : plan.kept).push_back(axes[i]);
    (axes[i].reduced ? plan.terms : plan.outputs) *= axes[i].size;
  }
  return plan;
}

// The offset in blocks of the index-th combination of these axes, the first of which runs fastest.
int64_t block_offset(const std::vector<Axis>& axes, int64_t index) {
  int64_t offset = 0;
  for (const Axis& axis : axes) {
    offset += index % axis.size * axis.stride;
    index /= axis.size;
  }
  return offset;
}

// `out` (channels) from the columns of wide rows.
void fold(Reduction reduction, const float* columns, const Columns& layout, float* out) {
  for (int64_t channel = 0; channel < layout.channels; ++channel) {
    float maximum = columns[channel];
    double sum = columns[channel];
    for (int64_t j = channel + layout.channels; j < layout.width; j += layout.channels) {
      maximum = larger(maximum, columns[j]);
      sum += columns[j];
    }
    out[channel] = reduction == Reduction::max ? maximum : static_cast<float>(sum);
  }
}

// One output from its partial results, `stride` apart.
float combine_parts(Reduction reduction, const float* parts, int64_t count, int64_t stride, double scale) {
  float maximum = parts[0];
  double sum = parts[0];
  for (int64_t i = 1; i < count; ++i) {
    maximum = larger(maximum, parts[i * stride]);
    sum += parts[i * stride];
  }
  return reduction == Reduction::max ? maximum : static_cast<float>(sum * scale);
}

void reduce_f32(Stream& stream, Reduction reduction, ConstView x, View y) {
  const Plan plan = make_plan(x.shape, y.shape);
  const Columns layout(plan.rows, plan.channels);
  const int64_t c = plan.channels, chunks = layout.chunks(), parts = plan.terms * chunks;
  const Buffer partial = stream.workspace(plan.outputs * parts * c * size_of(DType::f32));
  float* part = static_cast<float*>(partial.data());
  // Small blocks share a task.
  const int64_t grain = std::max<int64_t>(1, 16'384 / std::min(layout.chunk, layout.elements()));
  parallel_for(stream.threads(), plan.outputs * parts, grain, [&](int64_t begin, int64_t end) {
    std::vector<float> columns(static_cast<std::size_t>(layout.width));
    for (int64_t task = begin; task < end; ++task) {
      const int64_t output = task / parts, term = task % parts / chunks, start = task % chunks * layout.chunk;
      const int64_t block = block_offset(plan.kept, output) + block_offset(plan.reduced, term);
      HWY_DYNAMIC_DISPATCH(reduce_columns_of)
      (reduction, x.as<float>() + block * layout.elements() + start, std::min(layout.chunk, layout.elements() - start),
       layout.width, columns.data());
      fold(reduction, columns.data(), layout, part + task * c);
    }
  });
  const double scale = reduction == Reduction::mean ? 1 / static_cast<double>(plan.terms * plan.rows) : 1;
  parallel_for(
      stream.threads(), plan.outputs, std::max<int64_t>(1, 16'384 / (parts * c)), [&](int64_t begin, int64_t end) {
        for (int64_t output = begin; output < end; ++output)
          for (int64_t j = 0; j < c; ++j)
            y.as<float>()[output * c + j] = combine_parts(reduction, part + output * parts * c + j, parts, c, scale);
      });
}

void run(Stream& stream, Reduction reduction, ConstView x, View y) {
  if (x.dtype == DType::f64) return reference::reduce<double>(reduction, x, y);
  if (x.numel() == 0) return reference::reduce<float>(reduction, x, y);
  reduce_f32(stream, reduction, x, y);
}

// A row of a block: dx gets dy where x is the maximum for the first time.
void find_maxima(const float* x, const float* maximum, const float* dy, int32_t* found, float* dx, int64_t channels) {
  MELGRAD_VECTORIZE
  for (int64_t j = 0; j < channels; ++j) {
    const bool equal = (x[j] == maximum[j]) | ((x[j] != x[j]) & (maximum[j] != maximum[j]));  // a NaN is one
    const bool first = equal & (found[j] == 0);
    dx[j] = first ? dy[j] : 0.0f;
    found[j] |= first ? 1 : 0;
  }
}

// Outputs are the tasks; the blocks of x that make one are visited in the order in which they lie in memory, as
// block_offset() counts them.
void max_backward(Stream& stream, ConstView x, ConstView y, ConstView dy, View dx) {
  if (x.dtype == DType::f64) return reference::reduce_max_backward<double>(x, y, dy, dx);
  const Plan plan = make_plan(x.shape, y.shape);
  const int64_t c = plan.channels, elements = plan.rows * c;
  std::vector<int64_t> terms(static_cast<std::size_t>(plan.terms));
  for (int64_t term = 0; term < plan.terms; ++term)
    terms[static_cast<std::size_t>(term)] = block_offset(plan.reduced, term);
  const int64_t grain = std::max<int64_t>(1, 16'384 / std::max<int64_t>(1, plan.terms * elements));
  parallel_for(stream.threads(), plan.outputs, grain, [&](int64_t begin, int64_t end) {
    std::vector<int32_t> found(static_cast<std::size_t>(c));
    for (int64_t output = begin; output < end; ++output) {
      std::fill(found.begin(), found.end(), 0);
      for (int64_t term : terms) {
        const int64_t start = (block_offset(plan.kept, output) + term) * elements;
        for (int64_t at = start; at < start + elements; at += c)
          find_maxima(x.as<float>() + at, y.as<float>() + output * c, dy.as<float>() + output * c, found.data(),
                      dx.as<float>() + at, c);
      }
    }
  });
}

}  // namespace

extern const ReduceFunctions reduce_functions;
const ReduceFunctions reduce_functions{run, max_backward};

}  // namespace melgrad::cpu
#endif
