// The gated recurrent unit on the CPU: samples are independent, so a task is the whole sequence of a few of them, with no
// waiting between steps. Weight gradients are summed over these chunks, in order.
#include <vector>

#include "kernels/reference/gru.h"

namespace melgrad::cpu {
namespace {

constexpr int64_t samples_per_chunk = 4;

void forward(Stream& stream, const GruProblem& p, ConstView input, ConstView kernel, ConstView bias, View state,
             View gates) {
  if (input.dtype == DType::f64) return reference::gru_forward<double>(p, input, kernel, bias, state, gates);
  parallel_for(stream.threads(), p.n, samples_per_chunk, [&](int64_t begin, int64_t end) {
    reference::gru_forward(p, input.as<float>(), kernel.as<float>(), bias.as<float>(), state.as<float>(),
                           gates.as<float>(), begin, end);
  });
}

void backward(Stream& stream, const GruProblem& p, ConstView kernel, ConstView state, ConstView gates, ConstView dstate,
              View dinput, View dkernel, View dbias) {
  if (state.dtype == DType::f64)
    return reference::gru_backward<double>(p, kernel, state, gates, dstate, dinput, dkernel, dbias);
  const int64_t size = dkernel.numel() + dbias.numel();
  const int64_t chunks = (p.n + samples_per_chunk - 1) / samples_per_chunk;
  std::vector<float> partial(static_cast<std::size_t>(chunks * size));
  parallel_for(stream.threads(), p.n, samples_per_chunk, [&](int64_t begin, int64_t end) {
    float* sums = partial.data() + begin / samples_per_chunk * size;
    reference::gru_backward(p, kernel.as<float>(), state.as<float>(), gates.as<float>(), dstate.as<float>(),
                            dinput.as<float>(), sums, sums + dkernel.numel(), begin, end);
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
