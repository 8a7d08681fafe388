// Both gradients of a direct convolution in one sweep over blocks of rows: the gradient of y is rebuilt from that of z in
// the L2 cache, correlated with the weights turned round for dx, and multiplied with x's rows for dweight. See
// direct_conv.h. Sums of dweight and dbias go over fixed chunks of blocks, then over chunks in order.
#include <vector>

#include "kernels/cpu/direct_conv.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/direct_backward.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/direct_pool-inl.h"

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {
namespace {

// Σ over positions of the outer products of `run` = kw · c neighbouring numbers of x and o of dy, each row of taps by
// itself. Vectors lie along whichever of the two leaves fewer lanes empty.
class WeightSums {
 public:
  explicit WeightSums(const Conv2dProblem& problem)
      : p(problem),
        run_(p.columns.size * p.c),
        across_x_(whole_vectors(run_) * p.o < whole_vectors(p.o) * run_),
        rows_(across_x_ ? p.o : run_),
        padded_(whole_vectors(across_x_ ? run_ : p.o)) {}

  int64_t floats() const { return p.rows.size * rows_ * padded_ + whole_vectors(p.o); }
  bool across_x() const { return across_x_; }

  // dy's rows are `count` of `dy`, its first column `left`; x's rows the count + kh - 1 that they read.
  void add(const Rows& x, const Rows& dy, int64_t left, int64_t count, float* sums) const {
    Tile t{.a = x.data,
           .a_row = 1,
           .a_step = p.c,
           .a_segment = x.pitch(),
           .b = dy.data + left * p.o,
           .b_step = p.o,
           .b_segment = dy.pitch(),
           .segments = count,
           .steps = p.w_out(),
           .start = nullptr,
           .floor = no_floor,
           .out = sums,
           .out_row = padded_,
           .columns = across_x_ ? run_ : p.o};
    if (p.w_out() < count) {  // steps run along the longer axis
      std::swap(t.segments, t.steps);
      std::swap(t.a_step, t.a_segment);
      std::swap(t.b_step, t.b_segment);
    }
    if (across_x_) {
      std::swap(t.a, t.b);
      std::swap(t.a_step, t.b_step);
      std::swap(t.a_segment, t.b_segment);
    }
    const float*& of_x = across_x_ ? t.b : t.a;
    for (int64_t tap = 0; tap < p.rows.size; ++tap, of_x += x.pitch(), t.out += rows_ * padded_) add_in_parts(t);
    add_bias(dy.data + left * p.o, dy.pitch(), count, t.out);
  }

  // dweight [first, last) of its rows (a tap and channel each) and, at the end, dbias: chunks added in order.
  void finish(const float* sums, int64_t chunks, int64_t first, int64_t last, float* dweight) const {
    for (int64_t row = first; row < last; ++row) {
      const float* from = sums + row / run_ * rows_ * padded_ + row % run_ * (across_x_ ? 1 : padded_);
      float* to = dweight + row * p.o;
      for (int64_t chunk = 0; chunk < chunks; ++chunk, from += floats()) {
        if (across_x_) {
          for (int64_t o = 0; o < p.o; ++o) to[o] = (chunk == 0 ? 0.0f : to[o]) + from[o * padded_];
        } else if (chunk == 0) {
          std::copy_n(from, p.o, to);
        } else {
          for (int64_t o = 0; o < p.o; ++o) to[o] += from[o];
        }
      }
    }
  }
  void finish_bias(const float* sums, int64_t chunks, float* dbias) const {
    for (int64_t o = 0; o < p.o; ++o) {
      float total = 0;
      for (int64_t chunk = 0; chunk < chunks; ++chunk)
        total += sums[chunk * floats() + p.rows.size * rows_ * padded_ + o];
      dbias[o] = total;
    }
  }

 private:
  // Partial sums of a few hundred products: long ones lose digits.
  void add_in_parts(const Tile& t) const {
    constexpr int64_t products = 512;
    for_each_part(t.steps, products, [&](int64_t step, int64_t steps) {
      for_each_part(t.segments, std::max<int64_t>(1, products / steps), [&](int64_t segment, int64_t segments) {
        Tile part = t;
        part.a += segment * t.a_segment + step * t.a_step;
        part.b += segment * t.b_segment + step * t.b_step;
        part.segments = segments;
        part.steps = steps;
        run_tiles<true>(part, rows_);
      });
    });
  }

  // Four sums at a time hide the latency of an addition.
  void add_bias(const float* dy, int64_t pitch, int64_t count, float* sums) const {
    const FloatTag d;
    for (int64_t o = 0; o < p.o; o += vector_lanes) {
      Vector sum[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
      for (int64_t i = 0; i < count; ++i) {
        const float* at = dy + i * pitch + o;
        int64_t j = 0;
        for (; j + 4 <= p.w_out(); j += 4, at += 4 * p.o)
          unroll<4>([&](auto k) HWY_ATTR { sum[k] = hn::Add(sum[k], hn::LoadU(d, at + k * p.o)); });
        for (; j < p.w_out(); ++j, at += p.o) sum[0] = hn::Add(sum[0], hn::LoadU(d, at));
      }
      const Vector total = hn::Add(hn::Add(sum[0], sum[1]), hn::Add(sum[2], sum[3]));
      hn::StoreU(hn::Add(hn::LoadU(d, sums + o), total), d, sums + o);
    }
  }

  Conv2dProblem p;
  int64_t run_;
  bool across_x_;
  int64_t rows_, padded_;  // of the sums of a row of taps
};

class Backward {
 public:
  Backward(const ConvPoolProblem& whole, const float* x, const float* z, const int32_t* argmax, const float* dz)
      : problem(whole),
        p(problem.conv),
        x_(x),
        z_(z),
        argmax_(argmax),
        dz_(dz),
        turned(p.rows.size, p.columns.size, p.o, p.c, p.w),
        sums(p),
        block(direct_rows_per_block(p, p.h, 1)),
        blocks((p.h + block - 1) / block) {}

  int64_t count() const { return p.n * blocks; }

  // One block: rows of dx, or the rows of dy that belong to it, or both.
  void run(int64_t number, const float* weights, const float* start, float* dx, float* partial) const {
    const int64_t sample = number / blocks, begin = number % blocks * block, end = std::min(begin + block, p.h);
    const int64_t before = p.rows.size - 1 - p.rows.pad_before;  // rows of dy above dx's first
    const int64_t left = p.columns.size - 1 - p.columns.pad_before, right = p.columns.size - 1 - p.columns.pad_after;
    const int64_t outputs = problem.pool().y_shape().without_batch().numel();
    const Rows dy =
        gradient_rows(problem, z_ + sample * outputs, argmax_ == nullptr ? nullptr : argmax_ + sample * outputs,
                      dz_ + sample * outputs, begin - before, end - begin + p.rows.size - 1, left, right);
    const int64_t image = p.h * p.w * p.c;
    if (dx != nullptr) turned.run(weights, start, no_floor, dy, end - begin, dx + sample * image + begin * p.w * p.c);
    if (partial == nullptr) return;
    // Each row of dy belongs to one block: the last one takes what is left.
    const int64_t first = std::max<int64_t>(0, begin - before), last = end == p.h ? p.h_out() : end - before;
    if (first >= last) return;
    const Rows input =
        image_rows(x_ + sample * image, p.h, p.w, p.c, first - p.rows.pad_before, last - first + p.rows.size - 1,
                   p.columns.pad_before, p.columns.pad_after, Scratch::patches, sums.across_x());
    sums.add(input, {dy.data + (first - begin + before) * dy.pitch(), dy.columns, dy.channels}, left, last - first,
             partial);
  }

  const ConvPoolProblem problem;
  const Conv2dProblem& p;
  const float *x_, *z_;
  const int32_t* argmax_;
  const float* dz_;
  const Correlation turned;
  const WeightSums sums;
  const int64_t block, blocks;
};

void backward_here(Stream& stream, const ConvPoolProblem& problem, const float* x, const float* weight, const float* z,
                   const int32_t* argmax, const float* dz, float* dx, float* dweight, float* dbias) {
  const Backward work(problem, x, z, argmax, dz);
  const Conv2dProblem& p = work.p;
  const auto workspace = [&](int64_t floats) { return stream.workspace(floats * static_cast<int64_t>(sizeof(float))); };
  const Buffer packed = workspace(dx != nullptr ? work.turned.weight_floats() : 0);
  const float* weights = dx != nullptr ? work.turned.pack(weight, true, static_cast<float*>(packed.data())) : nullptr;
  const std::vector<float> start(static_cast<std::size_t>(whole_vectors(p.c)));
  if (dweight == nullptr)
    return stream.threads().run(work.count(),
                                [&](int64_t block) { work.run(block, weights, start.data(), dx, nullptr); });

  const int64_t chunks = std::min<int64_t>(weight_chunks, work.count()), size = work.sums.floats();
  if (chunks == 0) std::fill_n(dweight, p.weight_shape().numel(), 0.0f);
  const Buffer partials = workspace(chunks * size);
  float* sums = static_cast<float*>(partials.data());
  stream.threads().run(chunks, [&](int64_t chunk) {
    float* own = sums + chunk * size;
    std::fill_n(own, size, 0.0f);
    const int64_t end = work.count() * (chunk + 1) / chunks;
    for (int64_t block = work.count() * chunk / chunks; block < end; ++block)
      work.run(block, weights, start.data(), dx, own);
  });
  const int64_t rows = p.taps() * p.c, grain = std::max<int64_t>(1, 4096 / p.o);
  parallel_for(stream.threads(), rows, grain,
               [&](int64_t first, int64_t last) { work.sums.finish(sums, chunks, first, last, dweight); });
  if (dbias != nullptr) work.sums.finish_bias(sums, chunks, dbias);
}

}  // namespace
}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {

HWY_EXPORT(backward_here);

void direct_backward(Stream& stream, const ConvPoolProblem& problem, const float* x, const float* weight,
                     const float* z, const int32_t* argmax, const float* dz, float* dx, float* dweight, float* dbias) {
  HWY_DYNAMIC_DISPATCH(backward_here)
  (stream, as_one_column(problem), x, weight, z, argmax, dz, dx, dweight, dbias);
}

}  // namespace melgrad::cpu
#endif
