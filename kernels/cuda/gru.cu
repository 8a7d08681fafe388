// Gated recurrent unit over a whole sequence.
//
// Algorithm: samples are independent, so a block takes one and walks through time with no launch between steps. Forward,
// a thread has a unit: it multiplies the state before, which all threads read alike, with the unit's columns of the
// recurrent kernel, whose rows neighbouring threads read side by side. Backward, a warp has a unit, since what it needs
// is a row of the kernel. The gradients of all gates (dc) are kept, and after the last step give those of the kernel in
// a matrix product over samples and steps, cut in fixed chunks, and that of the bias in a sum over them.
// Bottleneck: latency: t steps one after the other, each of 3 u² multiply-adds from the L2 cache, on as many
// multiprocessors as there are samples.
// Launch: a block a sample, of a thread a unit up to 1024; the product in blocks of 16 × 16 threads, 2 KB of shared
// memory.
#include "kernels/cuda/columns.h"
#include "kernels/gru.h"
#include "kernels/gru_formulas.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int most_threads = 1024;

unsigned threads_for(int64_t units) {
  return static_cast<unsigned>(std::min<int64_t>(most_threads, (units + 31) / 32 * 32));
}

template <class Body>
__device__ __forceinline__ void for_each_unit(int64_t u, const Body& body) {
  for (int64_t i = threadIdx.x; i < u; i += blockDim.x) body(i);
}
// The same with a warp a unit.
template <class Body>
__device__ __forceinline__ void for_each_unit_of_warps(int64_t u, const Body& body) {
  for (int64_t i = threadIdx.x / 32; i < u; i += blockDim.x / 32) body(i);
}

// Σ_k x[k] U[k, column] for column of U (u, 3u).
template <class Vector>
__device__ __forceinline__ float times_column(Vector x, Global<const float> kernel, int64_t u, int64_t column) {
  float sum = 0.0f;
  for (int64_t k = 0; k < u; ++k) sum += x[k] * kernel[k * 3 * u + column];
  return sum;
}

// Σ_j dc[j] U[row, j] for j in first … last, in every lane of the warp.
__device__ __forceinline__ float times_row(Global<float> dc, Global<const float> kernel, int64_t u, int64_t row,
                                           int64_t first, int64_t last) {
  float sum = 0.0f;
  for (int64_t j = first + threadIdx.x % 32; j < last; j += 32) sum += dc[j] * kernel[row * 3 * u + j];
  return warp_reduce(sum, Sum());
}

template <bool reset_after>
__global__ void __launch_bounds__(most_threads)
    gru_forward_kernel(Activation recurrent, int64_t t, int64_t u, Global<const float> input,
                       Global<const float> kernel, Global<const float> bias, Global<float> state, Global<float> gates) {
  for (int64_t step = 0; step < t; ++step) {
    const int64_t at = int64_t{blockIdx.x} * t + step;
    const bool first = step == 0;
    const Global<float> before = state + (at - 1) * u;  // not read at the first step: zeros
    const Global<const float> a = input + at * 3 * u;
    const Global<float> h = state + at * u;
    const Global<float> gate_of = gates + at * 4 * u;
    for_each_unit(u, [&](int64_t i) {
      float z = first ? 0.0f : times_column(before, kernel, u, i);
      float r = first ? 0.0f : times_column(before, kernel, u, u + i);
      if constexpr (reset_after) {
        z += bias[i];
        r += bias[u + i];
      }
      z = gate(recurrent, a[i] + z);
      r = gate(recurrent, a[u + i] + r);
      gate_of[i] = z;
      gate_of[u + i] = r;
      const float h_before = first ? 0.0f : float(before[i]);
      if constexpr (reset_after) {
        const float kept = bias[2 * u + i] + (first ? 0.0f : times_column(before, kernel, u, 2 * u + i));
        const float g = tanhf(a[2 * u + i] + r * kept);
        gate_of[2 * u + i] = g;
        gate_of[3 * u + i] = kept;
        h[i] = gru_state(z, h_before, g);
      } else {
        gate_of[3 * u + i] = r * h_before;
      }
    });
    __syncthreads();
    if constexpr (!reset_after) {
      for_each_unit(u, [&](int64_t i) {
        const float recurrent_term = first ? 0.0f : times_column(gate_of + 3 * u, kernel, u, 2 * u + i);
        const float g = tanhf(a[2 * u + i] + recurrent_term);
        const float z = gate_of[i], h_before = first ? 0.0f : float(before[i]);
        gate_of[2 * u + i] = g;
        h[i] = gru_state(z, h_before, g);
      });
      __syncthreads();
    }
  }
}

// `dc` (n, t, 3u) takes the gradients of the recurrent parts of the gates; `dh` (n, u) is a sample's running gradient of
// the state, zero at the start.
template <bool reset_after>
__global__ void __launch_bounds__(most_threads)
    gru_backward_kernel(Activation recurrent, int64_t t, int64_t u, Global<const float> kernel,
                        Global<const float> state, Global<const float> gates, Global<const float> dstate,
                        Global<float> dinput, Global<float> all_dc, Global<float> all_dh) {
  const Global<float> dh = all_dh + int64_t{blockIdx.x} * u;
  for (int64_t step = t; step-- > 0;) {
    const int64_t at = int64_t{blockIdx.x} * t + step;
    const Global<const float> before = state + (at - 1) * u;
    const Global<const float> gate_of = gates + at * 4 * u;
    const Global<float> da = dinput + at * 3 * u;
    const Global<float> dc = all_dc + at * 3 * u;
    for_each_unit(u, [&](int64_t i) {
      const float z = gate_of[i], r = gate_of[u + i], g = gate_of[2 * u + i];
      const float h_before = step == 0 ? 0.0f : before[i];
      const float gradient = dstate[at * u + i] + (step + 1 == t ? 0.0f : float(dh[i]));
      const float dz = gate_gradient(recurrent, z, gru_dz(h_before, g, gradient));
      const float dg = gru_dcandidate(z, g, gradient);
      da[i] = dz;
      dc[i] = dz;
      da[2 * u + i] = dg;
      dc[2 * u + i] = reset_after ? dg * r : dg;
      dh[i] = gradient * z;
      if constexpr (reset_after) {
        const float dr = gate_gradient(recurrent, r, dg * gate_of[3 * u + i]);
        da[u + i] = dr;
        dc[u + i] = dr;
      }
    });
    __syncthreads();
    if constexpr (!reset_after) {
      for_each_unit_of_warps(u, [&](int64_t i) {
        const float dkept = times_row(dc, kernel, u, i, 2 * u, 3 * u);
        if (threadIdx.x % 32 != 0) return;
        const float r = gate_of[u + i];
        const float dr = gate_gradient(recurrent, r, step == 0 ? 0.0f : dkept * before[i]);
        da[u + i] = dr;
        dc[u + i] = dr;
        dh[i] += dkept * r;
      });
      __syncthreads();
    }
    for_each_unit_of_warps(u, [&](int64_t i) {
      const float through_gates = times_row(dc, kernel, u, i, 0, reset_after ? 3 * u : 2 * u);
      if (threadIdx.x % 32 == 0) dh[i] += through_gates;
    });
    __syncthreads();
  }
}

// ---- the gradient of the recurrent kernel

constexpr int side = 16;              // rows and columns of a tile
constexpr int64_t chunk_steps = 256;  // steps of samples a block

// A chunk's part of dU[i, j] = Σ x[i] dc[j] over samples and steps, for columns j of first_column … last_column. x is
// the state before or, for the candidate's columns without reset_after, the kept r ∘ h'.
template <bool from_kept>
__global__ void __launch_bounds__(side* side)
    gru_kernel_gradient_kernel(int64_t first_column, int64_t last_column, int64_t steps, int64_t u, Divider t,
                               Global<const float> state, Global<const float> gates, Global<const float> dc,
                               Global<float> partial) {
  __shared__ SharedArray<float, side, side> left;  // [step][i]
  __shared__ SharedArray<float, side, side> right;
  const int64_t first = int64_t{blockIdx.x} * chunk_steps, last = std::min(first + chunk_steps, steps);
  const int64_t tile_row = int64_t{blockIdx.y} * side, row = tile_row + threadIdx.y;
  const int64_t column = first_column + int64_t{blockIdx.z} * side + threadIdx.x;
  float sum = 0.0f;
  for (int64_t start = first; start < last; start += side) {
    const int64_t at = start + threadIdx.y, i = tile_row + threadIdx.x;
    float x = 0.0f;
    if (at < last && i < u) {
      int64_t sample = at;
      if constexpr (from_kept)
        x = gates[at * 4 * u + 3 * u + i];
      else if (t.split(sample) != 0)
        x = state[(at - 1) * u + i];
    }
    left[threadIdx.y][threadIdx.x] = x;
    float gradient = 0.0f;
    if (at < last && column < last_column) gradient = dc[at * 3 * u + column];
    right[threadIdx.y][threadIdx.x] = gradient;
    __syncthreads();
    for (int k = 0; k < side; ++k) sum += left[k][threadIdx.y] * right[k][threadIdx.x];
    __syncthreads();  // before the tiles are overwritten
  }
  if (row < u && column < last_column) partial[(blockIdx.x * u + row) * 3 * u + column] = sum;
}

template <bool reset_after>
void kernel_gradient(Stream& stream, const GruProblem& p, ConstView state, ConstView gates, Global<float> dc,
                     View dkernel) {
  const int64_t steps = p.n * p.t, chunks = (steps + chunk_steps - 1) / chunk_steps;
  const Buffer memory = stream.workspace(chunks * dkernel.bytes());
  const Global<float> partial = global<float>(memory);
  const auto columns = [&]<bool from_kept>(int64_t first, int64_t last) {
    const dim3 grid(blocks_for(chunks, 1), blocks_for(p.u, side), blocks_for(last - first, side));
    launch<gru_kernel_gradient_kernel<from_kept>>(grid, dim3(side, side), 0, stream, first, last, steps, p.u,
                                                  Divider(p.t), global<const float>(state), global<const float>(gates),
                                                  dc, partial);
  };
  if (chunks > 0) columns.template operator()<false>(0, reset_after ? 3 * p.u : 2 * p.u);
  if (chunks > 0 && !reset_after) columns.template operator()<true>(2 * p.u, 3 * p.u);
  sum_rows(stream, partial, chunks, dkernel.numel(), global<float>(dkernel));
}

void forward(Stream& stream, const GruProblem& p, ConstView input, ConstView kernel, ConstView bias, View state,
             View gates) {
  if (p.n == 0) return;
  const auto run = [&]<bool reset_after>() {
    launch<gru_forward_kernel<reset_after>>(blocks_for(p.n, 1), threads_for(p.u), 0, stream, p.recurrent_activation,
                                            p.t, p.u, global<const float>(input), global<const float>(kernel),
                                            global<const float>(bias), global<float>(state), global<float>(gates));
  };
  p.reset_after ? run.template operator()<true>() : run.template operator()<false>();
}

void backward(Stream& stream, const GruProblem& p, ConstView kernel, ConstView state, ConstView gates, ConstView dstate,
              View dinput, View dkernel, View dbias) {
  const int64_t steps = p.n * p.t;
  const Buffer dc_memory = stream.workspace(steps * 3 * p.u * size_of(DType::f32));
  const Buffer dh_memory = stream.workspace(p.n * p.u * size_of(DType::f32));
  const Global<float> dc = global<float>(dc_memory);
  const auto run = [&]<bool reset_after>() {
    if (p.n > 0) {
      launch<gru_backward_kernel<reset_after>>(blocks_for(p.n, 1), threads_for(p.u), 0, stream, p.recurrent_activation,
                                               p.t, p.u, global<const float>(kernel), global<const float>(state),
                                               global<const float>(gates), global<const float>(dstate),
                                               global<float>(dinput), dc, global<float>(dh_memory));
    }
    kernel_gradient<reset_after>(stream, p, state, gates, dc, dkernel);
    sum_rows(stream, dc, reset_after ? steps : 0, dbias.numel(), global<float>(dbias));  // without: zeros
  };
  p.reset_after ? run.template operator()<true>() : run.template operator()<false>();
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(GruFunctions, gru, forward, backward)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
