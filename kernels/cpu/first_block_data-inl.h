// The gradient of a first block's x, for the instruction set at hand. Included once for each; see Highway's foreach_target.
//
//   dx[t + k] = Σ over positions t and channels of w[k] · dy[t],
//   dy = scale · g at the winners + slope · (y - mean) + constant,   slope and constant as in block_gradient-inl.h.
// Winners: a window adds for each channel the channel's weights, laid where the winner lies in the part of x that the window
// reads. Such rows are made once: 24 numbers for each place and channel of Choi's 3 × 3 taps under a pool of 2 × 4.
// All other terms: y[t] - mean = Σ w[l] · (x[t + l] - m[l]), so they are a[k] + Σ Q[k, l] · (x[t + l] - m[l]) with
// a[k] = Σ w[k] · constant and Q[k, l] = Σ w[k] · slope · w[l] over channels.
// Count for Choi's first block: 64 multiply-adds of vectors a window for its 32 channels, and 5 for each of the 81 of Q.
#include <hwy/highway.h>

#include "kernels/cpu/first_block_forward-inl.h"

#if defined(MELGRAD_KERNELS_CPU_FIRST_BLOCK_DATA_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_FIRST_BLOCK_DATA_INL_H_
#undef MELGRAD_KERNELS_CPU_FIRST_BLOCK_DATA_INL_H_
#else
#define MELGRAD_KERNELS_CPU_FIRST_BLOCK_DATA_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

// What positions that did not win hand on.
class DenseGradient {
 public:
  DenseGradient(const Conv2dProblem& problem, const double* means)
      : p_(problem),
        mean_(means, means + problem.taps()),
        constant_(mean_.size()),
        product_(mean_.size() * mean_.size()) {}

  template <class Weight>
  void add_channel(const Weight& w, double constant, double slope) {
    for (int64_t k = 0; k < p_.taps(); ++k) {
      constant_[static_cast<std::size_t>(k)] += w(k) * constant;
      for (int64_t l = 0; l < p_.taps(); ++l)
        product_[static_cast<std::size_t>(k * p_.taps() + l)] += w(k) * slope * w(l);
    }
  }

  // Adds to one row of a sample's dx.
  void add_to_row(const float* sample, int64_t row, float* dx) const {
    const MapTag d;
    const int64_t lanes = first_block_lanes();
    const int64_t taps = p_.taps(), width = p_.w_out(), room = (width + lanes - 1) / lanes * lanes;
    float* lines = thread_scratch(Scratch::patches, (taps + 1) * room);  // x - m of each tap, then one tap's gradient
    float* line = lines + taps * room;
    for (int64_t r = 0; r < p_.rows.size; ++r) {
      const int64_t distance = row + p_.rows.pad_before - r * p_.rows.dilation, i = distance / p_.rows.stride;
      if (distance < 0 || distance % p_.rows.stride != 0 || i >= p_.h_out()) continue;
      gather_taps(p_, sample, i, 0, width, room, lines);
      for (int64_t c = 0; c < p_.columns.size; ++c) {
        const int64_t k = r * p_.columns.size + c;
        for (int64_t t = 0; t < room; t += lanes) {
          auto sum = hn::Set(d, static_cast<float>(constant_[static_cast<std::size_t>(k)]));
          for (int64_t l = 0; l < taps; ++l) {
            const auto x = hn::Sub(hn::Load(d, lines + l * room + t),
                                   hn::Set(d, static_cast<float>(mean_[static_cast<std::size_t>(l)])));
            sum = hn::MulAdd(hn::Set(d, static_cast<float>(product_[static_cast<std::size_t>(k * taps + l)])), x, sum);
          }
          hn::Store(sum, d, line + t);
        }
        add_line(line, p_.columns.input(0, c), dx);
      }
    }
  }

 private:
  // dx[first + t · stride] += line[t] where that is inside.
  void add_line(const float* line, int64_t first, float* dx) const {
    const int64_t stride = p_.columns.stride, begin = first < 0 ? (stride - 1 - first) / stride : 0;
    const int64_t end = first < p_.w ? std::min(p_.w_out(), (p_.w - first + stride - 1) / stride) : 0;
    if (stride == 1) {
      for (int64_t t = begin; t < end; ++t) dx[first + t] += line[t];
    } else {
      for (int64_t t = begin; t < end; ++t) dx[first + t * stride] += line[t];
    }
  }

  Conv2dProblem p_;
  std::vector<double> mean_, constant_, product_;
};

// What winners hand on, and dx as a whole. Pieces write what they hand on each by itself; rows of dx gather it.
class WinnersGradient {
 public:
  WinnersGradient(Stream& stream, const Pieces& pieces, const PatchReader& reader, const Channels& channels)
      : pieces_(pieces), reader_(reader), padded_(channels.padded) {
    const Conv2dProblem& p = pieces.block.conv;
    const Window &rows = pieces.block.pool_rows, &columns = pieces.block.pool_columns;
    const int64_t lanes = first_block_lanes();
    positions_ = rows.size * columns.size;
    wide_ = (columns.size - 1) * p.columns.stride + p.columns.extent();
    size_ = (reader_.high * wide_ + 2 * lanes - 1) / (2 * lanes) * 2 * lanes;
    placed_ = stream.workspace(padded_ * positions_ * size_ * static_cast<int64_t>(sizeof(float)));
    patches_ = stream.workspace(pieces.count() * reader_.high * reader_.wide * static_cast<int64_t>(sizeof(float)));
    float* to = static_cast<float*>(placed_.data());
    std::fill_n(to, padded_ * positions_ * size_, 0.0f);
    for (int64_t c = 0; c < channels.count; ++c)
      for (int64_t tap = 0; tap < positions_; ++tap, to += size_)
        for (int64_t k = 0; k < p.taps(); ++k) {
          const int64_t row = tap / columns.size * p.rows.stride + k / p.columns.size * p.rows.dilation;
          const int64_t column = tap % columns.size * p.columns.stride + k % p.columns.size * p.columns.dilation;
          to[row * wide_ + column] = channels.weight[static_cast<std::size_t>(k * channels.padded + c)];
        }
  }

  // Of this thread, for a piece: window by window scale · g (padded), then the winner's tap (padded).
  float* scratch() const { return thread_scratch(Scratch::patch_gradients, 2 * piece_windows * padded_ + size_); }

  // What the piece whose winners are in scratch() hands on.
  void add(int64_t piece) const {
    const float* winners = scratch();
    float* sum = scratch() + 2 * piece_windows * padded_;
    float* to = patch_of(piece);
    std::fill_n(to, reader_.high * reader_.wide, 0.0f);
    for (int64_t j = 0; j < pieces_.windows(piece); ++j, winners += 2 * padded_) {
      sum_window(winners, sum);
      for (int64_t r = 0; r < reader_.high; ++r)
        for (int64_t c = 0; c < wide_; ++c) to[r * reader_.wide + j * reader_.window_step + c] += sum[r * wide_ + c];
    }
  }

  // dx, `dense` added where there is one.
  void finish(Stream& stream, const float* x, const DenseGradient* dense, float* dx) const {
    const Conv2dProblem& p = pieces_.block.conv;
    stream.threads().run(p.n * p.h, [&](int64_t task) {
      const int64_t sample = task / p.h, row = task % p.h;
      float* to = dx + task * p.w;
      std::fill_n(to, p.w, 0.0f);
      gather(sample, row, to);
      if (dense != nullptr) dense->add_to_row(x + sample * p.h * p.w, row, to);
    });
  }

 private:
  float* patch_of(int64_t piece) const {
    return static_cast<float*>(patches_.data()) + piece * reader_.high * reader_.wide;
  }

  // sum (size) = Σ over channels of scale · g times the weights placed by the winner; even and odd channels by themselves,
  // since each sum waits for the one before.
  void sum_window(const float* winners, float* sum) const {
    const MapTag d;
    const int64_t lanes = first_block_lanes();
    const float* placed = static_cast<const float*>(placed_.data());
    for (int64_t part = 0; part < size_; part += 2 * lanes) {
      auto even0 = hn::Zero(d), even1 = even0, odd0 = even0, odd1 = even0;
      const auto row_of = [&](int64_t c) {
        return placed + (c * positions_ + static_cast<int64_t>(winners[padded_ + c])) * size_ + part;
      };
      for (int64_t c = 0; c < padded_; c += 2) {
        const float *a = row_of(c), *b = row_of(c + 1);
        const auto g = hn::Set(d, winners[c]), h = hn::Set(d, winners[c + 1]);
        even0 = hn::MulAdd(g, hn::LoadU(d, a), even0);
        even1 = hn::MulAdd(g, hn::LoadU(d, a + lanes), even1);
        odd0 = hn::MulAdd(h, hn::LoadU(d, b), odd0);
        odd1 = hn::MulAdd(h, hn::LoadU(d, b + lanes), odd1);
      }
      hn::StoreU(hn::Add(even0, odd0), d, sum + part);
      hn::StoreU(hn::Add(even1, odd1), d, sum + part + lanes);
    }
  }

  // Adds what the windows around one row of dx handed on to it.
  void gather(int64_t sample, int64_t row, float* dx) const {
    const int64_t width = pieces_.block.conv.w;
    for (int64_t i = 0; i < pieces_.pool.h_out(); ++i) {
      const int64_t r = row - reader_.first_row(i);
      if (r < 0 || r >= reader_.high) continue;
      const int64_t first = (sample * pieces_.pool.h_out() + i) * pieces_.per_row;
      for (int64_t piece = first; piece < first + pieces_.per_row; ++piece) {
        const float* from = patch_of(piece) + r * reader_.wide;
        const int64_t left = reader_.first_column(pieces_.first(piece)), end = std::min(reader_.wide, width - left);
        for (int64_t c = std::max<int64_t>(0, -left); c < end; ++c) dx[left + c] += from[c];
      }
    }
  }

  const Pieces& pieces_;
  const PatchReader& reader_;
  int64_t padded_;
  int64_t positions_, wide_, size_;  // of a window: places of its winner; columns of x, and floats, that it reads
  Buffer placed_, patches_;          // (channels, positions, size); (pieces, rows of x, columns of x)
};

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
