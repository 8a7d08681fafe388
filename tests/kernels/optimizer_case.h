// What the cases of the optimizers' updates share.
#pragma once

#include <doctest/doctest.h>

#include <cstring>

#include "kernels/elementwise.h"
#include "kernels/memory.h"
#include "kernels/sgd.h"
#include "tests/kernels/operation_check.h"

namespace melgrad::test {

inline constexpr OptimizerVariant all_variants[] = {OptimizerVariant::keras, OptimizerVariant::pytorch};

// An update works in place: the outputs start as the inputs behind the gradient, which are state and weight.
inline void copy_state(Inputs in, Outputs out) {
  for (std::size_t i = 0; i < out.size(); ++i) copy(in[i + 1], out[i]);
}

// One parameter of an update of all: a case of it alone, what its weight is multiplied by first, its inputs and outputs.
struct UpdatePart {
  OperationCase alone;
  double keep = 1;
  std::size_t inputs = 0, outputs = 0;  // where its own begin
  Inputs in(Inputs all) const { return all.subspan(inputs, alone.inputs.size()); }
  Outputs out(Outputs all) const { return all.subspan(outputs, alone.outputs.size()); }
};

inline bool same_bytes(ConstView a, ConstView b) {
  std::vector<char> of_a(static_cast<std::size_t>(a.bytes())), of_b(of_a);
  copy(a, View{of_a.data(), a.shape, a.dtype});
  copy(b, View{of_b.data(), b.shape, b.dtype});
  return of_a == of_b;
}

// What a part alone gives, its weight (the last input) multiplied first.
inline void run_alone(Stream& stream, const UpdatePart& part, Inputs in, Outputs out) {
  std::vector<ConstView> inputs(in.begin(), in.end());
  const Buffer buffer = stream.workspace(in.back().bytes());
  const View weight{buffer.data(), in.back().shape, in.back().dtype, in.back().device};
  elementwise_scale(stream, part.keep, in.back(), weight);
  inputs.back() = weight;
  part.alone.run(stream, inputs, out);
}

// Parts updated by `update(stream, parts, inputs, outputs)`, which gives the bits that each gets alone.
inline OperationCase updated_together(
    const std::string& name, std::vector<UpdatePart> parts,
    const std::function<void(Stream&, const std::vector<UpdatePart>&, Inputs, Outputs)>& update) {
  OperationCase all;
  all.name = name;
  for (UpdatePart& part : parts) {
    part.inputs = all.inputs.size();
    part.outputs = all.outputs.size();
    all.inputs.insert(all.inputs.end(), part.alone.inputs.begin(), part.alone.inputs.end());
    all.outputs.insert(all.outputs.end(), part.alone.outputs.begin(), part.alone.outputs.end());
    all.reduction_length = part.alone.reduction_length + 1;
  }
  all.run = [=](Stream& stream, Inputs in, Outputs out) {
    for (const UpdatePart& part : parts) copy_state(part.in(in), part.out(out));
    update(stream, parts, in, out);
    for (const UpdatePart& part : parts) {
      std::vector<Buffer> buffers;
      std::vector<View> alone;
      for (const View& view : part.out(out)) {
        buffers.push_back(stream.workspace(view.bytes()));
        alone.push_back({buffers.back().data(), view.shape, view.dtype, view.device});
      }
      run_alone(stream, part, part.in(in), alone);
      if (part.keep != 1 && stream.device() == Device::cuda) continue;  // one rounding where alone there are two
      for (std::size_t i = 0; i < alone.size(); ++i)
        CHECK_MESSAGE(same_bytes(part.out(out)[i], alone[i]), name << ": other bits than alone");
    }
  };
  all.reference = [=](Inputs in, Outputs out) {
    Stream stream(Device::cpu);
    for (const UpdatePart& part : parts) run_alone(stream, part, part.in(in), part.out(out));
  };
  all.magnitude = [=](Inputs in, Outputs out) {
    for (const UpdatePart& part : parts) part.alone.magnitude(part.in(in), part.out(out));
  };
  return all;
}

// Cases of updates of all: `alone(n)` makes the case of one parameter of n elements.
inline void check_updated_together(
    const std::string& name, const std::function<OperationCase(int64_t)>& alone,
    const std::function<void(Stream&, const std::vector<UpdatePart>&, Inputs, Outputs)>& update) {
  check(updated_together(name + " of several",
                         {{alone(257)}, {alone(0)}, {alone(1), 0.9}, {alone(9001), 0.5}, {alone(4)}}, update));
  check(updated_together(name + " of one element each", {{alone(1)}, {alone(1), 0.75}}, update));
}

}  // namespace melgrad::test
