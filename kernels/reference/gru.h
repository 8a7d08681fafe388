// Reference of the gated recurrent unit: the definition, as loops. See kernels/gru.h.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels/gru_formulas.h"

namespace melgrad::reference {

// out[j] = Σ_i x[i] U[i, j] for columns first … last of U (u, 3u).
template <class T>
void times_kernel(const T* x, const T* kernel, int64_t u, int64_t first, int64_t last, T* out) {
  for (int64_t j = first; j < last; ++j) {
    T sum{0};
    for (int64_t i = 0; i < u; ++i) sum += x[i] * kernel[i * 3 * u + j];
    out[j] = sum;
  }
}

// out[i] += Σ_j dc[j] U[i, j], and dU[i, j] += x[i] dc[j].
template <class T>
void times_kernel_backward(const T* x, const T* kernel, const T* dc, int64_t u, int64_t first, int64_t last, T* out,
                           T* dkernel) {
  for (int64_t i = 0; i < u; ++i)
    for (int64_t j = first; j < last; ++j) {
      out[i] += dc[j] * kernel[i * 3 * u + j];
      dkernel[i * 3 * u + j] += x[i] * dc[j];
    }
}

// One step of one sample: a (3u) and the state before (u) give the state and the gates (4u).
template <class T>
void gru_step(const GruProblem& p, const T* a, const T* kernel, const T* bias, const T* before, T* state, T* gates) {
  const int64_t u = p.u;
  std::vector<T> c(static_cast<std::size_t>(3 * u));
  T *z = gates, *r = gates + u, *g = gates + 2 * u, *kept = gates + 3 * u;
  times_kernel(before, kernel, u, 0, p.reset_after ? 3 * u : 2 * u, c.data());
  if (p.reset_after)
    for (int64_t j = 0; j < 3 * u; ++j) c[static_cast<std::size_t>(j)] += bias[j];
  for (int64_t i = 0; i < u; ++i) {
    z[i] = gate(p.recurrent_activation, a[i] + c[static_cast<std::size_t>(i)]);
    r[i] = gate(p.recurrent_activation, a[u + i] + c[static_cast<std::size_t>(u + i)]);
    kept[i] = p.reset_after ? c[static_cast<std::size_t>(2 * u + i)] : r[i] * before[i];
  }
  if (!p.reset_after) times_kernel(kept, kernel, u, 2 * u, 3 * u, c.data());
  for (int64_t i = 0; i < u; ++i) {
    const T recurrent = p.reset_after ? r[i] * kept[i] : c[static_cast<std::size_t>(2 * u + i)];
    g[i] = std::tanh(a[2 * u + i] + recurrent);
    state[i] = gru_state(z[i], before[i], g[i]);
  }
}

// The same backwards: dh (u) goes in as the gradient of the state and comes out as that of the state before.
template <class T>
void gru_step_backward(const GruProblem& p, const T* kernel, const T* before, const T* gates, T* dh, T* da, T* dkernel,
                       T* dbias) {
  const int64_t u = p.u;
  const T *z = gates, *r = gates + u, *g = gates + 2 * u, *kept = gates + 3 * u;
  std::vector<T> dc(static_cast<std::size_t>(3 * u)), dbefore(static_cast<std::size_t>(u)), dkept(dbefore);
  for (int64_t i = 0; i < u; ++i) {
    da[i] = gate_gradient(p.recurrent_activation, z[i], gru_dz(before[i], g[i], dh[i]));
    da[2 * u + i] = gru_dcandidate(z[i], g[i], dh[i]);
    dbefore[static_cast<std::size_t>(i)] = dh[i] * z[i];
    dc[static_cast<std::size_t>(i)] = da[i];
    dc[static_cast<std::size_t>(2 * u + i)] = p.reset_after ? da[2 * u + i] * r[i] : da[2 * u + i];
  }
  if (!p.reset_after) times_kernel_backward(kept, kernel, dc.data(), u, 2 * u, 3 * u, dkept.data(), dkernel);
  for (int64_t i = 0; i < u; ++i) {
    const T drecurrent = dkept[static_cast<std::size_t>(i)];
    const T dr = p.reset_after ? da[2 * u + i] * kept[i] : drecurrent * before[i];
    if (!p.reset_after) dbefore[static_cast<std::size_t>(i)] += drecurrent * r[i];
    da[u + i] = gate_gradient(p.recurrent_activation, r[i], dr);
    dc[static_cast<std::size_t>(u + i)] = da[u + i];
  }
  times_kernel_backward(before, kernel, dc.data(), u, 0, p.reset_after ? 3 * u : 2 * u, dbefore.data(), dkernel);
  if (p.reset_after)
    for (int64_t j = 0; j < 3 * u; ++j) dbias[j] += dc[static_cast<std::size_t>(j)];
  std::copy(dbefore.begin(), dbefore.end(), dh);
}

// Samples begin … end. drecurrent_kernel and drecurrent_bias are added to.
template <class T>
void gru_forward(const GruProblem& p, const T* input, const T* kernel, const T* bias, T* state, T* gates, int64_t begin,
                 int64_t end) {
  const std::vector<T> zeros(static_cast<std::size_t>(p.u));
  for (int64_t sample = begin; sample < end; ++sample)
    for (int64_t step = 0; step < p.t; ++step) {
      const int64_t at = sample * p.t + step;
      const T* before = step == 0 ? zeros.data() : state + (at - 1) * p.u;
      gru_step(p, input + at * 3 * p.u, kernel, bias, before, state + at * p.u, gates + at * 4 * p.u);
    }
}

template <class T>
void gru_backward(const GruProblem& p, const T* kernel, const T* state, const T* gates, const T* dstate, T* dinput,
                  T* dkernel, T* dbias, int64_t begin, int64_t end) {
  const std::vector<T> zeros(static_cast<std::size_t>(p.u));
  std::vector<T> dh(static_cast<std::size_t>(p.u));
  for (int64_t sample = begin; sample < end; ++sample) {
    std::fill(dh.begin(), dh.end(), T{0});
    for (int64_t step = p.t; step-- > 0;) {
      const int64_t at = sample * p.t + step;
      const T* before = step == 0 ? zeros.data() : state + (at - 1) * p.u;
      for (int64_t i = 0; i < p.u; ++i) dh[static_cast<std::size_t>(i)] += dstate[at * p.u + i];
      gru_step_backward(p, kernel, before, gates + at * 4 * p.u, dh.data(), dinput + at * 3 * p.u, dkernel, dbias);
    }
  }
}

template <class T>
void gru_forward(const GruProblem& p, ConstView input, ConstView kernel, ConstView bias, View state, View gates) {
  gru_forward(p, input.as<T>(), kernel.as<T>(), bias.as<T>(), state.as<T>(), gates.as<T>(), 0, p.n);
}

template <class T>
void gru_backward(const GruProblem& p, ConstView kernel, ConstView state, ConstView gates, ConstView dstate,
                  View dinput, View dkernel, View dbias) {
  std::fill_n(dkernel.as<T>(), dkernel.numel(), T{0});
  std::fill_n(dbias.as<T>(), dbias.numel(), T{0});
  gru_backward(p, kernel.as<T>(), state.as<T>(), gates.as<T>(), dstate.as<T>(), dinput.as<T>(), dkernel.as<T>(),
               dbias.as<T>(), 0, p.n);
}

}  // namespace melgrad::reference
