// Fused blocks in inference: layers folded, then z.
#include <doctest/doctest.h>

#include "kernels/reference/conv_block.h"
#include "tests/kernels/conv_block_problems.h"
#include "tests/kernels/operation_check.h"

namespace melgrad {
namespace {

using namespace test::conv_block;
using test::Inputs;
using test::OperationCase;
using test::Outputs;

// The layers of an inference, in[1] to in[5], folded.
struct Folded {
  Buffer buffer;
  View view;

  Folded(Stream& stream, const BlockProblem& p, Inputs in) {
    const int64_t size = conv_block_folded_size(stream.device(), p);
    buffer = stream.workspace(size * size_of(in[1].dtype));
    view = {buffer.data(), {size}, in[1].dtype, stream.device()};
    conv_block_fold(stream, p, in[1], in[2], in[3], in[4], in[5], view);
  }
};

// x is in[0], the layers in[1] to in[5].
void infer_reference(const BlockProblem& p, Inputs in, Outputs out) {
  reference::conv_block_infer<double>(p, {in[0]}, in[1], in[2], in[3], in[4], in[5], out[0]);
}
void infer_magnitude(const BlockProblem& p, Inputs in, Outputs out) {
  const std::vector<double> y = largest(
      convolution_bound(p, WinogradDirection::forward, values_of(in[0]), values_of(in[1]), p.conv.y_shape()), p.conv.o);
  for (int64_t i = 0; i < out[0].numel(); ++i) {
    const int64_t c = i % p.conv.o;
    const double scale = std::abs(reference::block_scale(p, in[2].as<double>()[c], in[5].as<double>()[c]));
    out[0].as<double>()[i] = scale * (y[c] + std::abs(in[4].as<double>()[c])) + std::abs(in[3].as<double>()[c]);
  }
}

OperationCase infer_case(const char* function, const BlockProblem& p, const test::FillFunction& x) {
  const Shape o{p.conv.o};
  OperationCase infer;
  infer.name = function + describe(p);
  infer.devices = devices_of(p);
  infer.inputs = {{p.conv.x_shape(), x}, {p.conv.weight_shape()}, {o}, {o}, {o}, {o, test::positive_values()}};
  infer.outputs = {{p.pool().y_shape()}};
  infer.run = [=](Stream& stream, Inputs in, Outputs out) {
    const Folded folded(stream, p, in);
    conv_block_infer(stream, p, {in[0]}, folded.view, out[0]);
  };
  infer.reference = [=](Inputs in, Outputs out) { infer_reference(p, in, out); };
  infer.magnitude = [=](Inputs in, Outputs out) { infer_magnitude(p, in, out); };
  infer.reduction_length = 8;
  return infer;
}

TEST_CASE("conv_block_infer agrees with the reference, with and without a pool") {
  std::vector<BlockProblem> all = problems();
  all.push_back(signal_block(0, 20, 16, 16, 1, Activation::relu));
  all.push_back(signal_block(2, 100, 16, 32, 1, Activation::relu));
  all.push_back(image_block({1, 9, 11, 16}, 16, 1, 1, Activation::elu));
  for (const BlockProblem& p : all) test::check(infer_case("conv_block_infer", p, test::normal_values()));
}

// Its layout is the device's own: an impulse in the middle of one channel of each sample brings out that channel's weights.
TEST_CASE("conv_block_fold: each weight times its scale, and the shift") {
  for (int64_t length : {4, 9}) {  // F(4, 3), F(6, 3)
    const BlockProblem p = signal_block(17, length, 17, 19, 1, Activation::linear);
    int64_t at = 0;  // arrays are filled in order
    const auto impulses = [=](Generator&, bool) mutable {
      const int64_t i = at++ % p.conv.x_shape().numel(), channel = i % 17, sample = i / 17 / length;
      return channel == sample && i / 17 % length == length / 2 ? 1.0 : 0.0;
    };
    test::check(infer_case("conv_block_fold", p, impulses));
  }
}

}  // namespace
}  // namespace melgrad
