// The gated recurrent unit on the CPU: samples are independent, so a task is the whole sequence of a few of them, with no
// waiting between steps. Bound by the products with the recurrent kernel, which the second-level cache holds: a row of
// results stays in the first level while rows of the kernel go by. Weight gradients are one product over all steps of a
// sample, summed over samples of a chunk, then over chunks, in order.
#include <algorithm>
#include <vector>

#include "kernels/cpu/vectorize.h"
#include "kernels/reference/gru.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/gru.cpp"
#include <hwy/foreach_target.h>
// Below foreach_target.h, which includes this file again for each target.
#include "kernels/cpu/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

// out (columns) += x (rows) · matrix (rows, columns), whose rows lie `stride` apart. Terms are added in order.
void add_product(const float* x, const float* matrix, int64_t rows, int64_t stride, int64_t columns, float* out) {
  constexpr int64_t block = 8;  // rows for each time that `out` is read and written
  int64_t i = 0;
  for (; i + block <= rows; i += block) {
    const float* m = matrix + i * stride;
    MELGRAD_VECTORIZE
    for (int64_t j = 0; j < columns; ++j) {
      float sum = out[j];
      for (int64_t r = 0; r < block; ++r) sum += x[i + r] * m[r * stride + j];
      out[j] = sum;
    }
  }
  for (; i < rows; ++i) {
    MELGRAD_VECTORIZE
    for (int64_t j = 0; j < columns; ++j) out[j] += x[i] * matrix[i * stride + j];
  }
}

void apply_gate(Activation function, const float* x, float* y, int64_t n) {
  if (function == Activation::sigmoid)
    return map_vectors(
        n, y, [](auto value) { return logistic_of(value); }, x);
  for (int64_t i = 0; i < n; ++i) y[i] = gate(function, x[i]);
}

// One step of one sample; `c` (3u) is scratch. See the reference.
void step_forward(const GruProblem& p, const float* a, const float* kernel, const float* bias, const float* before,
                  float* state, float* gates, float* c) {
  const int64_t u = p.u;
  float *z = gates, *r = gates + u, *g = gates + 2 * u, *kept = gates + 3 * u;
  if (p.reset_after)
    std::copy_n(bias, 3 * u, c);
  else
    std::fill_n(c, 3 * u, 0.0f);
  add_product(before, kernel, u, 3 * u, p.reset_after ? 3 * u : 2 * u, c);
  for (int64_t i = 0; i < 2 * u; ++i) c[i] += a[i];
  apply_gate(p.recurrent_activation, c, z, 2 * u);  // z and r lie side by side
  if (p.reset_after) {
    std::copy_n(c + 2 * u, u, kept);
    for (int64_t i = 0; i < u; ++i) c[i] = a[2 * u + i] + r[i] * kept[i];
  } else {
    for (int64_t i = 0; i < u; ++i) kept[i] = r[i] * before[i];
    add_product(kept, kernel + 2 * u, u, 3 * u, u, c + 2 * u);
    for (int64_t i = 0; i < u; ++i) c[i] = a[2 * u + i] + c[2 * u + i];
  }
  map_vectors(
      u, g, [](auto value) { return tanh_of(value); }, c);
  for (int64_t i = 0; i < u; ++i) state[i] = gru_state(z[i], before[i], g[i]);
}

void sample_forward(const GruProblem& p, const float* input, const float* kernel, const float* bias, float* state,
                    float* gates, float* scratch) {
  const int64_t u = p.u;
  std::fill_n(scratch, u, 0.0f);  // the state before the first step
  for (int64_t t = 0; t < p.t; ++t) {
    const float* before = t == 0 ? scratch : state + (t - 1) * u;
    step_forward(p, input + t * 3 * u, kernel, bias, before, state + t * u, gates + t * 4 * u, scratch + u);
  }
}

// One step backwards. dh (u): the gradient of the state, in; of the state before, out. da, dc (3u): the gradients of what
// came from the input and of c. `transposed` is the kernel as (3u, u).
void step_backward(const GruProblem& p, const float* transposed, const float* before, const float* gates, float* dh,
                   float* da, float* dc, float* dkept) {
  const int64_t u = p.u;
  const float *z = gates, *r = gates + u, *g = gates + 2 * u, *kept = gates + 3 * u;
  for (int64_t i = 0; i < u; ++i) {
    da[i] = dc[i] = gate_gradient(p.recurrent_activation, z[i], gru_dz(before[i], g[i], dh[i]));
    da[2 * u + i] = gru_dcandidate(z[i], g[i], dh[i]);
    dc[2 * u + i] = p.reset_after ? da[2 * u + i] * r[i] : da[2 * u + i];
    dh[i] *= z[i];
  }
  if (!p.reset_after) {
    std::fill_n(dkept, u, 0.0f);
    add_product(dc + 2 * u, transposed + 2 * u * u, u, u, u, dkept);
  }
  for (int64_t i = 0; i < u; ++i) {
    const float dr = p.reset_after ? da[2 * u + i] * kept[i] : dkept[i] * before[i];
    if (!p.reset_after) dh[i] += dkept[i] * r[i];
    da[u + i] = dc[u + i] = gate_gradient(p.recurrent_activation, r[i], dr);
  }
  add_product(dc, transposed, p.reset_after ? 3 * u : 2 * u, u, u, dh);
}

// Adds a sample's part of the weight gradients: dU = Σ_t xᵀ dc, x being the state before, and for the last third of the
// columns without reset_after r ∘ h', which `gates` has.
void add_weight_gradients(const GruProblem& p, const float* state, const float* gates, const float* dc, float* column,
                          float* dkernel, float* dbias) {
  const int64_t u = p.u, own = p.reset_after ? 3 * u : 2 * u;
  for (int64_t i = 0; i < u; ++i) {
    for (int64_t t = 0; t < p.t; ++t) column[t] = t == 0 ? 0.0f : state[(t - 1) * u + i];
    add_product(column, dc, p.t, 3 * u, own, dkernel + i * 3 * u);
    if (p.reset_after) continue;
    for (int64_t t = 0; t < p.t; ++t) column[t] = gates[t * 4 * u + 3 * u + i];
    add_product(column, dc + 2 * u, p.t, 3 * u, u, dkernel + i * 3 * u + 2 * u);
  }
  if (!p.reset_after) return;
  std::fill_n(column, p.t, 1.0f);
  add_product(column, dc, p.t, 3 * u, 3 * u, dbias);
}

// `scratch`: 3u numbers for the vectors of a step, then 3u for the dc of each step, then one for each step.
void sample_backward(const GruProblem& p, const float* transposed, const float* state, const float* gates,
                     const float* dstate, float* dinput, float* dkernel, float* dbias, float* scratch) {
  const int64_t u = p.u;
  float *dh = scratch, *zeros = scratch + u, *dkept = scratch + 2 * u, *dc = scratch + 3 * u;
  std::fill_n(dh, 2 * u, 0.0f);
  for (int64_t t = p.t; t-- > 0;) {
    for (int64_t i = 0; i < u; ++i) dh[i] += dstate[t * u + i];
    step_backward(p, transposed, t == 0 ? zeros : state + (t - 1) * u, gates + t * 4 * u, dh, dinput + t * 3 * u,
                  dc + t * 3 * u, dkept);
  }
  add_weight_gradients(p, state, gates, dc, dc + p.t * 3 * u, dkernel, dbias);
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(sample_forward);
HWY_EXPORT(sample_backward);

constexpr int64_t samples_per_chunk = 4;

void forward(Stream& stream, const GruProblem& p, ConstView input, ConstView kernel, ConstView bias, View state,
             View gates) {
  if (input.dtype == DType::f64) return reference::gru_forward<double>(p, input, kernel, bias, state, gates);
  parallel_for(stream.threads(), p.n, samples_per_chunk, [&](int64_t begin, int64_t end) {
    std::vector<float> scratch(static_cast<std::size_t>(4 * p.u));
    for (int64_t sample = begin; sample < end; ++sample) {
      const int64_t at = sample * p.t * p.u;
      HWY_DYNAMIC_DISPATCH(sample_forward)
      (p, input.as<float>() + 3 * at, kernel.as<float>(), bias.as<float>(), state.as<float>() + at,
       gates.as<float>() + 4 * at, scratch.data());
    }
  });
}

std::vector<float> transpose_of(ConstView kernel) {
  const int64_t u = kernel.shape[0];
  std::vector<float> transposed(static_cast<std::size_t>(3 * u * u));
  for (int64_t i = 0; i < u; ++i)
    for (int64_t j = 0; j < 3 * u; ++j)
      transposed[static_cast<std::size_t>(j * u + i)] = kernel.as<float>()[i * 3 * u + j];
  return transposed;
}

void backward(Stream& stream, const GruProblem& p, ConstView kernel, ConstView state, ConstView gates, ConstView dstate,
              View dinput, View dkernel, View dbias) {
  if (state.dtype == DType::f64)
    return reference::gru_backward<double>(p, kernel, state, gates, dstate, dinput, dkernel, dbias);
  const std::vector<float> transposed = transpose_of(kernel);
  const int64_t size = dkernel.numel() + dbias.numel();
  const int64_t chunks = (p.n + samples_per_chunk - 1) / samples_per_chunk;
  std::vector<float> partial(static_cast<std::size_t>(chunks * size));
  parallel_for(stream.threads(), p.n, samples_per_chunk, [&](int64_t begin, int64_t end) {
    std::vector<float> scratch(static_cast<std::size_t>(3 * p.u + p.t * (3 * p.u + 1)));
    float* sums = partial.data() + begin / samples_per_chunk * size;
    for (int64_t sample = begin; sample < end; ++sample) {
      const int64_t at = sample * p.t * p.u;
      HWY_DYNAMIC_DISPATCH(sample_backward)
      (p, transposed.data(), state.as<float>() + at, gates.as<float>() + 4 * at, dstate.as<float>() + at,
       dinput.as<float>() + 3 * at, sums, sums + dkernel.numel(), scratch.data());
    }
  });
  for (int64_t i = 0; i < size; ++i) {
    float sum = 0;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) sum += partial[static_cast<std::size_t>(chunk * size + i)];
    (i < dkernel.numel() ? dkernel.as<float>()[i] : dbias.as<float>()[i - dkernel.numel()]) = sum;
  }
}

}  // namespace

extern const GruFunctions gru_functions;
const GruFunctions gru_functions{forward, backward};

}  // namespace melgrad::cpu
#endif
