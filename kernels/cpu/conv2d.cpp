// Convolution 2-D on the CPU.
//
// `im2col`: the patches of a block of output rows are copied into a matrix of (pixels × taps·c), which stays in the L2
// cache, and multiplied with kernels/cpu/gemm.h. Forward: patches · weight. Data gradient: dy · weightᵀ gives patch
// gradients, which are added to where their patches came from. Weight gradient: patchesᵀ · dy, summed over fixed chunks
// of samples. Each group by itself. `direct`: kernels/cpu/direct_conv.h. `winograd_*`: kernels/cpu/winograd.h.
//
// `automatic` is F(6, 3) where it applies, both channel counts are 16 or more (below, a tile's transforms cost as much as
// its products) and a row has a whole tile of outputs (below, direct sums take as long and round less), or F(4, 3) where
// that needs fewer products for a row; of images and columns 2 wide, F(7, 2) or F(5, 2) from 32 channels on. Then, of images,
// `direct` where there are few weights (kernels/cpu/direct_conv.h) and a million flops, im2col elsewhere: of 256 channels each
// way and 3×3 taps its blocks of k are worth their copies, and of GTZAN's third convolution it takes half of direct's time for
// dw.
// Measured on 2 threads of AVX-512, multiply-adds of the definition: F(6, 3) 820 to 860 GFLOP/s on SampleCNN's second
// convolution, 950 on its fourth, 960 to 1020 on its sixth, 800 to 1040 on Choi's; F(4, 3) 2 to 11 % less on most; im2col at
// most the machine's 480. bench/notes.md has direct beside the others.
#include <algorithm>
#include <cstring>

#include "kernels/cpu/direct_conv.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/winograd.h"
#include "kernels/reference/conv2d.h"

namespace melgrad::cpu {
namespace {

constexpr int64_t floats_in_l2 = 1 << 16;  // 256 KB: half of a small L2
constexpr int64_t direct_flops = 1'000'000;

// Of one group.
int64_t patch_size(const Conv2dProblem& p) {
  return p.taps() * p.group_c();
}

// Output rows whose patches fill half the L2 cache: fixed by the problem, so that threads change nothing.
int64_t rows_per_block(const Conv2dProblem& p) {
  return std::clamp<int64_t>(floats_in_l2 / std::max<int64_t>(1, p.w_out() * patch_size(p)), 1, p.h_out());
}

// The columns of x that one row of taps reads at output column j, as runs: body(tap, column, count) for `count` taps
// from `tap` on that read `count` neighbouring columns whole. Taps in the padding are left out.
template <class Body>
void for_each_run(const Conv2dProblem& p, int64_t j, const Body& body) {
  const int64_t first = p.columns.input(j, 0);
  if (p.columns.dilation == 1 && p.groups == 1) {
    const int64_t begin = std::max<int64_t>(0, -first);
    const int64_t end = std::min(p.columns.size, p.w - first);
    if (begin < end) body(begin, first + begin, end - begin);
    return;
  }
  for (int64_t tap = 0; tap < p.columns.size; ++tap) {
    const int64_t column = p.columns.input(j, tap);
    if (column >= 0 && column < p.w) body(tap, column, int64_t{1});
  }
}

// Calls body(patch offset, x offset, floats) for every contiguous piece of a group's patches of output rows
// [first, last) of a sample. What no piece covers is padding.
template <class Body>
void for_each_piece(const Conv2dProblem& p, int64_t group, int64_t first, int64_t last, const Body& body) {
  const int64_t channels = p.group_c(), tap_row_size = p.columns.size * channels;
  int64_t patch = 0;
  for (int64_t i = first; i < last; ++i)
    for (int64_t j = 0; j < p.w_out(); ++j, patch += patch_size(p))
      for (int64_t tap_row = 0; tap_row < p.rows.size; ++tap_row) {
        const int64_t row = p.rows.input(i, tap_row);
        if (row < 0 || row >= p.h) continue;
        for_each_run(p, j, [&](int64_t tap, int64_t column, int64_t count) {
          body(patch + tap_row * tap_row_size + tap * channels, (row * p.w + column) * p.c + group * channels,
               count * channels);
        });
      }
}

bool has_padding(const Conv2dProblem& p) {
  return p.rows.pad_before + p.rows.pad_after + p.columns.pad_before + p.columns.pad_after > 0;
}

// A group's patches of output rows [first, last) of one sample, as a matrix of (pixels × patch_size).
const float* gather_patches(const Conv2dProblem& p, int64_t group, const float* sample, int64_t first, int64_t last) {
  const int64_t size = (last - first) * p.w_out() * patch_size(p);
  float* patches = thread_scratch(Scratch::patches, size);
  if (has_padding(p)) std::fill_n(patches, size, 0.0f);
  for_each_piece(p, group, first, last, [&](int64_t to, int64_t from, int64_t floats) {
    std::memcpy(patches + to, sample + from, static_cast<std::size_t>(floats) * sizeof(float));
  });
  return patches;
}

void forward_im2col(Stream& stream, const Conv2dProblem& p, ConstView x, ConstView weight, View y) {
  const int64_t k = patch_size(p), o = p.group_o(), block = rows_per_block(p);
  const int64_t blocks = (p.h_out() + block - 1) / block, size = packed_size(k, o);
  const Buffer scratch = stream.workspace(p.groups * size * static_cast<int64_t>(sizeof(float)));
  float* packed = static_cast<float*>(scratch.data());
  for (int64_t group = 0; group < p.groups; ++group)
    pack_panels({weight.as<float>() + group * o, p.o, 1}, k, o, 0, panels(o), packed + group * size);
  stream.threads().run(p.n * blocks, [&](int64_t task) {
    const int64_t sample = task / blocks, first = task % blocks * block, last = std::min(first + block, p.h_out());
    float* out = y.as<float>() + (sample * p.h_out() + first) * p.w_out() * p.o;
    for (int64_t group = 0; group < p.groups; ++group) {
      const float* patches = gather_patches(p, group, x.as<float>() + sample * p.h * p.w * p.c, first, last);
      multiply_packed({(last - first) * p.w_out(), o, k, {patches, k, 1}, packed + group * size, out + group * o, p.o},
                      0, panels(o));
    }
  });
}

void backward_data_im2col(Stream& stream, const Conv2dProblem& p, ConstView dy, ConstView weight, View dx) {
  const int64_t k = patch_size(p), o = p.group_o(), block = rows_per_block(p), size = packed_size(o, k);
  const Buffer scratch = stream.workspace(p.groups * size * static_cast<int64_t>(sizeof(float)));
  float* packed = static_cast<float*>(scratch.data());
  for (int64_t group = 0; group < p.groups; ++group)  // weightᵀ (o, k)
    pack_panels({weight.as<float>() + group * o, 1, p.o}, o, k, 0, panels(k), packed + group * size);
  stream.threads().run(p.n, [&](int64_t sample) {
    float* out = dx.as<float>() + sample * p.h * p.w * p.c;
    std::fill_n(out, p.h * p.w * p.c, 0.0f);
    for (int64_t first = 0; first < p.h_out(); first += block) {
      const int64_t last = std::min(first + block, p.h_out()), pixels = (last - first) * p.w_out();
      const float* gradient = dy.as<float>() + (sample * p.h_out() + first) * p.w_out() * p.o;
      float* patches = thread_scratch(Scratch::patch_gradients, pixels * k);
      for (int64_t group = 0; group < p.groups; ++group) {
        multiply_packed({pixels, k, o, {gradient + group * o, p.o, 1}, packed + group * size, patches, k}, 0,
                        panels(k));
        for_each_piece(p, group, first, last, [&](int64_t from, int64_t to, int64_t floats) {
          for (int64_t i = 0; i < floats; ++i) out[to + i] += patches[from + i];
        });
      }
    }
  });
}

// dweight summed over samples [begin, end).
void weight_gradient_of(const Conv2dProblem& p, ConstView dy, ConstView x, int64_t begin, int64_t end, float* dweight) {
  const int64_t k = patch_size(p), o = p.group_o(), block = rows_per_block(p);
  bool accumulate = false;
  for (int64_t sample = begin; sample < end; ++sample)
    for (int64_t first = 0; first < p.h_out(); first += block) {
      const int64_t last = std::min(first + block, p.h_out()), pixels = (last - first) * p.w_out();
      const float* gradient = dy.as<float>() + (sample * p.h_out() + first) * p.w_out() * p.o;
      for (int64_t group = 0; group < p.groups; ++group) {
        const float* patches = gather_patches(p, group, x.as<float>() + sample * p.h * p.w * p.c, first, last);
        multiply({patches, 1, k}, {gradient + group * o, p.o, 1}, k, o, pixels, dweight + group * o, p.o, accumulate);
      }
      accumulate = true;
    }
}

void backward_weight_im2col(Stream& stream, const Conv2dProblem& p, ConstView dy, ConstView x, View dweight) {
  const int64_t size = dweight.numel();
  const int64_t chunk = std::max<int64_t>(1, (p.n + weight_chunks - 1) / weight_chunks);
  const int64_t chunks = (p.n + chunk - 1) / chunk;
  float* out = dweight.as<float>();
  if (chunks == 0) return void(std::fill_n(out, size, 0.0f));
  const Buffer scratch = stream.workspace(chunks * size * static_cast<int64_t>(sizeof(float)));
  float* partial = static_cast<float*>(scratch.data());
  stream.threads().run(chunks, [&](int64_t i) {
    weight_gradient_of(p, dy, x, i * chunk, std::min((i + 1) * chunk, p.n), partial + i * size);
  });
  for (int64_t i = 0; i < size; ++i) out[i] = partial[i];
  for (int64_t c = 1; c < chunks; ++c)
    for (int64_t i = 0; i < size; ++i) out[i] += partial[c * size + i];
}

constexpr ConvAlgorithm algorithms[] = {ConvAlgorithm::direct, ConvAlgorithm::im2col, ConvAlgorithm::winograd_f4,
                                        ConvAlgorithm::winograd_f6};

int winograd_outputs(ConvAlgorithm algorithm) {
  return algorithm == ConvAlgorithm::winograd_f4 ? 4 : algorithm == ConvAlgorithm::winograd_f6 ? 6 : 0;
}

bool supports(const Conv2dProblem& p, ConvAlgorithm algorithm) {
  if (algorithm == ConvAlgorithm::direct) return direct_applies(p);
  return winograd_outputs(algorithm) == 0 || winograd_applies(p);
}

ConvAlgorithm automatic(const Conv2dProblem& p) {
  const Conv2dProblem row = as_one_row(p);
  const int64_t least = row.columns.size == 3 ? 16 : 32;
  const bool image = p.h > 1 && p.w > 1;  // of signals neither F(m, 2) nor direct was measured
  if (winograd_applies(p) && (image || row.columns.size == 3) && std::min(p.c, p.o) >= least && row.w_out() >= 6)
    return fewest_products(row) == 4 ? ConvAlgorithm::winograd_f4 : ConvAlgorithm::winograd_f6;
  const bool direct = image && direct_suits(p) && conv2d_cost(p, sizeof(float)).flops >= direct_flops;
  return direct ? ConvAlgorithm::direct : ConvAlgorithm::im2col;
}

void forward(Stream& stream, const Conv2dProblem& p, ConstView x, ConstView weight, View y, ConvAlgorithm algorithm) {
  if (x.dtype == DType::f64) return reference::conv2d_forward<double>(p, x, weight, y);
  if (algorithm == ConvAlgorithm::direct)
    return direct_forward(stream, {p}, x.as<float>(), weight.as<float>(), nullptr, y.as<float>(), nullptr);
  if (const int outputs = winograd_outputs(algorithm))
    return winograd_forward(stream, p, outputs, x.as<float>(), weight.as<float>(), y.as<float>());
  forward_im2col(stream, p, x, weight, y);
}

void backward_data(Stream& stream, const Conv2dProblem& p, ConstView dy, ConstView weight, View dx,
                   ConvAlgorithm algorithm) {
  if (dy.dtype == DType::f64) return reference::conv2d_backward_data<double>(p, dy, weight, dx);
  if (algorithm == ConvAlgorithm::direct) {
    return direct_backward(stream, {p}, nullptr, weight.as<float>(), dy.as<float>(), nullptr, dy.as<float>(),
                           dx.as<float>(), nullptr, nullptr);
  }
  if (const int outputs = winograd_outputs(algorithm))
    return winograd_backward_data(stream, p, outputs, dy.as<float>(), weight.as<float>(), dx.as<float>());
  backward_data_im2col(stream, p, dy, weight, dx);
}

void backward_weight(Stream& stream, const Conv2dProblem& p, ConstView dy, ConstView x, View dweight,
                     ConvAlgorithm algorithm) {
  if (dy.dtype == DType::f64) return reference::conv2d_backward_weight<double>(p, dy, x, dweight);
  if (algorithm == ConvAlgorithm::direct) {
    return direct_backward(stream, {p}, x.as<float>(), nullptr, dy.as<float>(), nullptr, dy.as<float>(), nullptr,
                           dweight.as<float>(), nullptr);
  }
  if (const int outputs = winograd_outputs(algorithm))
    return winograd_backward_weight(stream, p, outputs, dy.as<float>(), x.as<float>(), dweight.as<float>());
  backward_weight_im2col(stream, p, dy, x, dweight);
}

}  // namespace

extern const Conv2dFunctions conv2d_functions;
const Conv2dFunctions conv2d_functions{algorithms, supports, automatic, forward, backward_data, backward_weight};

}  // namespace melgrad::cpu
