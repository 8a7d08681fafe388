// Three ways from a signal to the power spectra of a group of frames, one frame a lane.
// Included once for each target; see Highway's foreach_target.
#include "kernels/cpu/fft_passes-inl.h"
#include "kernels/cpu/frame_loader-inl.h"
#include "kernels/cpu/one_frame-inl.h"
#include "kernels/spectral_bands.h"

#if defined(MELGRAD_KERNELS_CPU_FRAME_SPECTRA_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_FRAME_SPECTRA_INL_H_
#undef MELGRAD_KERNELS_CPU_FRAME_SPECTRA_INL_H_
#else
#define MELGRAD_KERNELS_CPU_FRAME_SPECTRA_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

inline constexpr int64_t floats_a_line = 16;  // of the cache: where vectors of any width may begin

// first … last - 1.
struct Bins {
  int64_t first, last;
};

inline Bins used_bins(const FilterBank& filters) {
  Bins used{filters.bins(), 0};
  for (int64_t f = 0; f < filters.filters(); ++f) {
    const auto count = static_cast<int64_t>(filters.weights(f).size());
    if (count == 0) continue;
    used.first = std::min(used.first, filters.first_bin(f));
    used.last = std::max(used.last, filters.first_bin(f) + count);
  }
  return used.first < used.last ? used : Bins{0, 0};
}

class FrameSpectra {
 public:
  virtual ~FrameSpectra() = default;
  virtual int64_t frames() const = 0;     // loaded at once, a multiple of lanes
  virtual int64_t workspace() const = 0;  // floats, in whole lines
  virtual void load(const SignalReader& signal, int64_t first, int64_t count, float* workspace) const = 0;
  // powers (bins, lanes) of frames first … first + valid - 1, which are number `at` and on of those loaded.
  virtual void transform(const SignalReader& signal, int64_t first, int64_t valid, int64_t at, float* workspace,
                         float* powers) const = 0;
};

// The passes of the FFT run in all lanes at once.
class SpectraOfGroups final : public FrameSpectra {
 public:
  explicit SpectraOfGroups(const SpectralBandsOptions& options)
      : loader_(static_cast<int64_t>(options.window.size()), options.hop, options.padding),
        plan_(static_cast<int64_t>(options.window.size()) / 2),
        functions_(fft_functions(plan_)) {
    const FftPass& pass = plan_.passes.front();
    for (int64_t k = 0; k < pass.rest; ++k) {
      for (int64_t q = 0; q < pass.radix; ++q) {
        const int64_t n = 2 * (k + pass.rest * q);
        const float* window = options.window.data() + n;  // times the half of the split
        points_.push_back({loader_.offsets()[n], loader_.offsets()[n + 1], 0.5F * window[0], 0.5F * window[1]});
      }
    }
  }

  int64_t frames() const override { return loader_.frames(); }
  int64_t workspace() const override { return table() + 2 * buffer(); }
  void load(const SignalReader& signal, int64_t first, int64_t count, float* workspace) const override {
    loader_.load(signal, first, count, workspace);
  }

  void transform(const SignalReader&, int64_t, int64_t, int64_t at, float* workspace, float* powers) const override {
    float* x = workspace + table();
    float* y = x + buffer();
    functions_.first(plan_.passes.front(), FramePoints{workspace + at, points_.data()}, x);
    for (std::size_t i = 1; i + 1 < plan_.passes.size(); ++i) {
      functions_.next[i - 1](plan_.passes[i], x, y);
      std::swap(x, y);
    }
    functions_.last(plan_.passes.back(), plan_.split.data(), x, powers);
  }

 private:
  int64_t table() const { return round_up(loader_.workspace(), floats_a_line); }
  int64_t buffer() const { return round_up(plan_.buffer_size() * complex_stride, floats_a_line); }

  FrameLoader loader_;
  std::vector<FramePoint> points_;
  FftPlan plan_;
  FftFunctions functions_;
};

// Frames one after another, each with all lanes; then the bins that are in use change places with the frames.
class SpectraOneByOne final : public FrameSpectra {
 public:
  SpectraOneByOne(const SpectralBandsOptions& options, Bins used)
      : n_fft_(static_cast<int64_t>(options.window.size())),
        hop_(options.hop),
        padding_(options.padding),
        used_(used),
        fft_(options.window) {}

  int64_t frames() const override { return vector_lanes; }
  int64_t workspace() const override { return round_up(n_fft_, floats_a_line) + fft() + vector_lanes * row(); }
  void load(const SignalReader&, int64_t, int64_t, float*) const override {}

  void transform(const SignalReader& signal, int64_t first, int64_t valid, int64_t, float* workspace,
                 float* powers) const override {
    const FloatTag d;
    float* copied = workspace + fft();
    float* rows = copied + round_up(n_fft_, floats_a_line);
    for (int64_t i = 0; i < valid; ++i) {
      const int64_t begin = (first + i) * hop_ - padding_;
      const float* x = signal.find(begin, n_fft_);
      if (x == nullptr) signal.copy(begin, n_fft_, copied), x = copied;
      fft_.transform(x, workspace, rows + i * row());
    }
    std::fill(rows + valid * row(), rows + vector_lanes * row(), 0.0F);
    for (int64_t k = used_.first; k < used_.last; k += vector_lanes) {
      Vector block[vector_lanes];
      unroll<vector_lanes>([&](auto i) MELGRAD_INLINE_LAMBDA { block[i] = hn::LoadU(d, rows + i * row() + k); });
      transpose(block);
      for (int64_t i = 0; i < std::min<int64_t>(vector_lanes, used_.last - k); ++i)
        hn::Store(block[i], d, powers + (k + i) * vector_lanes);
    }
  }

 private:
  int64_t fft() const { return round_up(fft_.workspace(), floats_a_line); }
  // A few lines more than the bins, so that a vector from the last one ends inside, and no two rows share their sets of
  // the cache.
  int64_t row() const { return round_up(n_fft_ / 2 + 1 + vector_lanes, floats_a_line) + floats_a_line; }

  int64_t n_fft_, hop_, padding_;
  Bins used_;
  OneFrameFft fft_;
};

// kernels/fft.h, for sizes that have no passes here.
class SpectraOfAnySize final : public FrameSpectra {
 public:
  explicit SpectraOfAnySize(const SpectralBandsOptions& options)
      : loader_(static_cast<int64_t>(options.window.size()), options.hop, options.padding),
        window_(options.window),
        fft_(real_fft(static_cast<int64_t>(window_.size()))) {}

  int64_t frames() const override { return loader_.frames(); }
  int64_t workspace() const override {
    return table() + lane_count * (fft_->size() + 2 * fft_->bins() + 2 * fft_->workspace_size());
  }
  void load(const SignalReader& signal, int64_t first, int64_t count, float* workspace) const override {
    loader_.load(signal, first, count, workspace);
  }

  void transform(const SignalReader&, int64_t, int64_t, int64_t at, float* workspace, float* powers) const override {
    constexpr int64_t together = std::min<int64_t>(lane_count, vector_lanes);
    auto* x = reinterpret_cast<Lanes*>(workspace + table());
    auto* spectrum = reinterpret_cast<Complex<Lanes>*>(x + fft_->size());
    std::fill(x, x + fft_->size(), Lanes{});
    for (int64_t lane = 0; lane < vector_lanes; lane += together) {
      for (int64_t n = 0; n < fft_->size(); ++n)
        for (int64_t i = 0; i < together; ++i)
          x[n][i] = workspace[at + loader_.offsets()[n] + lane + i] * window_[static_cast<std::size_t>(n)];
      fft_->forward(x, spectrum, spectrum + fft_->bins());
      for (int64_t k = 0; k < fft_->bins(); ++k) {
        const Lanes power = spectrum[k].re * spectrum[k].re + spectrum[k].im * spectrum[k].im;
        for (int64_t i = 0; i < together; ++i) powers[k * vector_lanes + lane + i] = power[i];
      }
    }
  }

 private:
  int64_t table() const { return round_up(loader_.workspace(), floats_a_line); }

  FrameLoader loader_;
  std::vector<float> window_;
  std::shared_ptr<const RealFft> fft_;
};

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
