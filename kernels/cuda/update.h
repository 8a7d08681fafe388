// Optimizer steps over all parameters at once: step(gradient, state…, weight), element by element, in place.
//
// Algorithm: a network has some dozen parameters, many of them a few hundred floats long, and a launch costs more than
// such an update. So all are updated in one launch: a table in the GPU's memory lists the parameters, a second one cuts
// them into chunks of 4,096 elements, and a block takes a chunk. A thread takes four neighbouring elements in 16-byte
// accesses where all arrays of the parameter start at 16 bytes.
// Bottleneck: global memory; each array is read once and, the gradient aside, written once.
// Launch: a block of 256 threads a chunk; no shared memory.
#pragma once

#include <vector>

#include "kernels/cuda/helpers.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

inline constexpr int update_threads = 256;
inline constexpr int64_t update_chunk = 4096;  // elements; a multiple of 4

// A parameter. `states` are the arrays that the step changes, the weight last.
template <class Step>
struct UpdateTensor {
  Step step;
  float keep;  // of the weight, before the step: decoupled weight decay
  bool vectorised;
  int64_t n;
  Global<const float> gradient;
  Global<float> states[Step::count];
};

struct UpdateChunk {
  int64_t tensor, first;  // element
};

// Four elements of `count` arrays, element by element.
template <int count>
struct UpdateQuad {
  float element[4][count];

  __device__ __forceinline__ void set(int array, float4 quad) {
    element[0][array] = quad.x;
    element[1][array] = quad.y;
    element[2][array] = quad.z;
    element[3][array] = quad.w;
  }
  __device__ __forceinline__ float4 get(int array) const {
    return make_float4(element[0][array], element[1][array], element[2][array], element[3][array]);
  }
};

// One element: its states as an array, since a step has their number in its type.
template <class Step>
__device__ __forceinline__ void update_element(const UpdateTensor<Step>& tensor, float gradient,
                                               float (&state)[Step::count]) {
  state[Step::count - 1] *= tensor.keep;
  tensor.step(gradient, state);
}

template <class Step>
__device__ __forceinline__ void update_quad(const UpdateTensor<Step>& tensor, int64_t i) {
  UpdateQuad<Step::count> quad;
  MELGRAD_UNROLL
  for (int array = 0; array < Step::count; ++array) quad.set(array, vector_cast<float4>(tensor.states[array])[i]);
  const float4 g = vector_cast<const float4>(tensor.gradient)[i];
  update_element(tensor, g.x, quad.element[0]);
  update_element(tensor, g.y, quad.element[1]);
  update_element(tensor, g.z, quad.element[2]);
  update_element(tensor, g.w, quad.element[3]);
  MELGRAD_UNROLL
  for (int array = 0; array < Step::count; ++array) vector_cast<float4>(tensor.states[array])[i] = quad.get(array);
}

template <class Step>
__device__ __forceinline__ void update_single(const UpdateTensor<Step>& tensor, int64_t i) {
  float element[Step::count];
  MELGRAD_UNROLL
  for (int array = 0; array < Step::count; ++array) element[array] = tensor.states[array][i];
  update_element(tensor, tensor.gradient[i], element);
  MELGRAD_UNROLL
  for (int array = 0; array < Step::count; ++array) tensor.states[array][i] = element[array];
}

template <class Step>
__global__ void __launch_bounds__(update_threads)
    update_kernel(Global<const UpdateTensor<Step>> tensors, Global<const UpdateChunk> chunks) {
  const UpdateChunk chunk = chunks[blockIdx.x];
  const UpdateTensor<Step> tensor = tensors[chunk.tensor];
  const int64_t end = std::min(chunk.first + update_chunk, tensor.n);
  const int64_t quads_end = tensor.vectorised ? end / 4 : chunk.first / 4;
  for (int64_t i = chunk.first / 4 + threadIdx.x; i < quads_end; i += update_threads) update_quad(tensor, i);
  for (int64_t i = quads_end * 4 + threadIdx.x; i < end; i += update_threads) update_single(tensor, i);
}

// The tables, as the host makes them.
template <class Step>
class UpdateBatch {
 public:
  // `states`: Step::count views. A parameter without elements is left out.
  template <class... Views>
  void add(const Step& step, double keep, ConstView gradient, const Views&... states) {
    static_assert(sizeof...(states) == Step::count);
    const int64_t n = gradient.numel();
    for (int64_t first = 0; first < n; first += update_chunk)
      chunks_.push_back({static_cast<int64_t>(tensors_.size()), first});
    tensors_.push_back({step,
                        static_cast<float>(keep),
                        aligned_for_float4(gradient, states...),
                        n,
                        global<const float>(gradient),
                        {global<float>(states)...}});
  }
  void run(Stream& stream) const {
    if (chunks_.empty()) return;
    const Buffer tensors = upload(stream, tensors_), chunks = upload(stream, chunks_);
    launch<update_kernel<Step>>(blocks_for(static_cast<int64_t>(chunks_.size()), 1), update_threads, 0, stream,
                                global<const UpdateTensor<Step>>(tensors), global<const UpdateChunk>(chunks));
  }

 private:
  std::vector<UpdateTensor<Step>> tensors_;
  std::vector<UpdateChunk> chunks_;
};

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
