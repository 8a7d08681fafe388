#include "kernels/conv_block.h"

#include <doctest/doctest.h>

#include <cmath>

#include "kernels/memory.h"
#include "kernels/reference/conv_block.h"
#include "tests/kernels/conv_block_problems.h"
#include "tests/kernels/gradient_check.h"

namespace melgrad {
namespace {

using namespace test::conv_block;
using reference::WinogradDirection;
using test::Inputs;
using test::OperationCase;
using test::Outputs;

// x, weight, gamma, beta, and the norm that waits in x: center, scale, shift.
enum Input : std::size_t { x_in, weight_in, gamma_in, beta_in, center_in, scale_in, shift_in, dz_in };

std::vector<test::InputSpec> input_specs(const BlockProblem& p) {
  const Shape c{p.conv.c}, o{p.conv.o};
  return {{p.conv.x_shape()}, {p.conv.weight_shape()}, {o}, {o}, {c}, {c}, {c}};
}

// The block before has the same activation.
PendingNorm norm_of(const BlockProblem& p, Inputs in) {
  return {in[center_in], in[scale_in], in[shift_in], p.activation};
}

// |terms| of what the block reads once its norm is applied.
std::vector<double> input_bound(Inputs in, bool pending) {
  std::vector<double> bound = values_of(in[x_in]);
  const auto channels = static_cast<std::size_t>(in[center_in].numel());
  for (std::size_t i = 0; i < bound.size(); ++i) {
    bound[i] = std::abs(bound[i]);
    if (!pending) continue;
    const std::size_t c = i % channels;
    bound[i] = std::abs(in[scale_in].as<double>()[c]) * (bound[i] + std::abs(in[center_in].as<double>()[c])) +
               std::abs(in[shift_in].as<double>()[c]);
  }
  return bound;
}

struct Exact {
  std::vector<double> y, pooled, mean, variance, scale, shift, y_bound;
  std::vector<uint8_t> argmax;

  Exact(const BlockProblem& p, Inputs in, bool pending)
      : y(static_cast<std::size_t>(p.conv.y_shape().numel())),
        pooled(static_cast<std::size_t>(p.pool().y_shape().numel())),
        mean(static_cast<std::size_t>(p.conv.o)),
        variance(mean),
        scale(mean),
        shift(mean),
        argmax(pooled.size()) {
    const PendingNorm norm = norm_of(p, in);
    const Shape o{p.conv.o}, z = p.pool().y_shape();
    reference::conv_block_forward<double>(p, {in[x_in], pending ? &norm : nullptr}, in[weight_in], in[gamma_in],
                                          in[beta_in], {y.data(), p.conv.y_shape(), DType::f64},
                                          {pooled.data(), z, DType::f64}, {argmax.data(), z, DType::u8},
                                          {mean.data(), o, DType::f64}, {variance.data(), o, DType::f64},
                                          {scale.data(), o, DType::f64}, {shift.data(), o, DType::f64});
    y_bound = largest(convolution_bound(p, WinogradDirection::forward, input_bound(in, pending),
                                        values_of(in[weight_in]), p.conv.y_shape()),
                      p.conv.o);
  }
};

void forward_magnitude(const BlockProblem& p, bool pending, Inputs in, Outputs out) {
  const Exact exact(p, in, pending);
  for (int64_t c = 0; c < p.conv.o; ++c) {
    const double y = exact.y_bound[c], deviation = std::sqrt(exact.variance[c] + p.epsilon);
    for (int64_t i = c; i < out[0].numel(); i += p.conv.o) out[0].as<double>()[i] = y;
    for (int64_t i = c; i < out[1].numel(); i += p.conv.o) out[1].as<double>()[i] = y;
    out[3].as<double>()[c] = y;
    out[4].as<double>()[c] = y * deviation;
    out[5].as<double>()[c] = std::abs(in[gamma_in].as<double>()[c]) * y / (deviation * deviation);
    out[6].as<double>()[c] = std::abs(exact.scale[c]) * std::abs(exact.mean[c]);
  }
  std::fill_n(out[2].as<uint8_t>(), out[2].numel(), uint8_t{0});
}

void check_forward(Size size) {
  for (const BlockProblem& p : problems(size))
    for (bool pending : {false, true}) {
      const Shape o{p.conv.o}, z = p.pool().y_shape();
      OperationCase forward;
      forward.name = fmt::format("conv_block_forward{}{}", describe(p), pending ? " pending" : "");
      forward.devices = devices_of(p);
      forward.inputs = input_specs(p);
      forward.outputs = {{p.conv.y_shape()}, {z}, {z, DType::u8}, {o}, {o}, {o}, {o}};
      forward.run = [=](Stream& stream, Inputs in, Outputs out) {
        const PendingNorm norm = norm_of(p, in);
        conv_block_forward(stream, p, {in[x_in], pending ? &norm : nullptr}, in[weight_in], in[gamma_in], in[beta_in],
                           out[0], out[1], out[2], out[3], out[4], out[5], out[6]);
      };
      forward.reference = [=](Inputs in, Outputs out) {
        const PendingNorm norm = norm_of(p, in);
        reference::conv_block_forward<double>(p, {in[x_in], pending ? &norm : nullptr}, in[weight_in], in[gamma_in],
                                              in[beta_in], out[0], out[1], out[2], out[3], out[4], out[5], out[6]);
      };
      forward.magnitude = [=](Inputs in, Outputs out) { forward_magnitude(p, pending, in, out); };
      forward.reduction_length = 8;
      test::check(forward);
    }
}

TEST_CASE("conv_block_forward agrees with the reference: small problems") {
  check_forward(Size::small);
}

TEST_CASE("conv_block_forward agrees with the reference: medium problems") {
  check_forward(Size::medium);
}

TEST_CASE("conv_block_forward agrees with the reference: large problems") {
  check_forward(Size::large);
}

// The forward pass for what it keeps, then the backward pass.
struct Kept {
  std::vector<Buffer> buffers;
  View y, pooled, argmax, mean, variance, scale, shift;

  Kept(const BlockProblem& p, DType dtype, Device device = Device::cpu) {
    const Shape o{p.conv.o}, z = p.pool().y_shape();
    const auto make = [&](const Shape& shape, DType type) {
      buffers.push_back(arena(device).allocate(shape.numel() * size_of(type)));
      return View{buffers.back().data(), shape, type, device};
    };
    y = make(p.conv.y_shape(), dtype);
    pooled = make(z, dtype);
    argmax = make(z, DType::u8);
    for (View* view : {&mean, &variance, &scale, &shift}) *view = make(o, dtype);
  }
  BlockState state() const { return {y, pooled, argmax, mean, variance, scale, shift}; }
};

void run_both(Stream& stream, const BlockProblem& p, bool pending, Inputs in, Outputs out) {
  const PendingNorm norm = norm_of(p, in);
  const BlockInput x{in[x_in], pending ? &norm : nullptr};
  const Kept kept(p, in[x_in].dtype, stream.device());
  conv_block_forward(stream, p, x, in[weight_in], in[gamma_in], in[beta_in], kept.y, kept.pooled, kept.argmax,
                     kept.mean, kept.variance, kept.scale, kept.shift);
  conv_block_backward(stream, p, x, in[weight_in], in[gamma_in], kept.state(), in[dz_in], out[0], out[1], out[2],
                      out[3]);
}

void reference_both(const BlockProblem& p, bool pending, Inputs in, Outputs out) {
  const PendingNorm norm = norm_of(p, in);
  const BlockInput x{in[x_in], pending ? &norm : nullptr};
  const Kept kept(p, DType::f64);
  reference::conv_block_forward<double>(p, x, in[weight_in], in[gamma_in], in[beta_in], kept.y, kept.pooled,
                                        kept.argmax, kept.mean, kept.variance, kept.scale, kept.shift);
  reference::conv_block_backward<double>(p, x, in[weight_in], in[gamma_in], kept.state(), in[dz_in], out[0], out[1],
                                         out[2], out[3]);
}

// Σ|terms| of dy as for norm_pool, through the convolution's error bounds.
void backward_magnitude(const BlockProblem& p, bool pending, Inputs in, Outputs out) {
  const Exact exact(p, in, pending);
  std::vector<double> dy(exact.y.size());
  for (int64_t c = 0; c < p.conv.o; ++c) {
    const double deviation = std::sqrt(exact.variance[c] + p.epsilon), spread = exact.y_bound[c] / deviation;
    double sum = 0, most = 0;
    for (int64_t i = c; i < in[dz_in].numel(); i += p.conv.o) {
      sum += std::abs(in[dz_in].as<double>()[i]);
      most = std::max(most, std::abs(in[dz_in].as<double>()[i]));
    }
    for (std::size_t i = static_cast<std::size_t>(c); i < dy.size(); i += static_cast<std::size_t>(p.conv.o))
      dy[i] = std::abs(exact.scale[c]) * (most + (1 + spread) * sum / static_cast<double>(p.positions()));
    out[2].as<double>()[c] = spread * sum;
    out[3].as<double>()[c] = sum;
  }
  const auto put = [&](View view, WinogradDirection direction, const std::vector<double>& second) {
    const std::vector<double> bound = convolution_bound(p, direction, dy, second, view.shape);
    std::copy(bound.begin(), bound.end(), view.as<double>());
  };
  put(out[0], WinogradDirection::data, values_of(in[weight_in]));
  put(out[1], WinogradDirection::weight, input_bound(in, pending));
}

void check_backward(Size size) {
  for (const BlockProblem& p : problems(size))
    for (bool pending : {false, true}) {
      const Shape o{p.conv.o};
      OperationCase both;
      both.name = fmt::format("conv_block_backward{}{}", describe(p), pending ? " pending" : "");
      both.devices = devices_of(p);
      both.inputs = input_specs(p);
      both.inputs.push_back({p.pool().y_shape()});
      both.outputs = {{p.conv.x_shape()}, {p.conv.weight_shape()}, {o}, {o}};
      both.run = [=](Stream& stream, Inputs in, Outputs out) { run_both(stream, p, pending, in, out); };
      both.reference = [=](Inputs in, Outputs out) { reference_both(p, pending, in, out); };
      both.magnitude = [=](Inputs in, Outputs out) { backward_magnitude(p, pending, in, out); };
      both.reduction_length = 8;
      test::check(both);
    }
}

TEST_CASE("conv_block_backward agrees with the reference: small problems") {
  check_backward(Size::small);
}

TEST_CASE("conv_block_backward agrees with the reference: medium problems") {
  check_backward(Size::medium);
}

TEST_CASE("conv_block_backward agrees with the reference: large problems") {
  check_backward(Size::large);
}

TEST_CASE("conv_block_backward without dx, which the first layer does not want, gives the same other gradients") {
  for (const BlockProblem& p : problems()) {
    if (!conv_block_applies(Device::cpu, p)) continue;
    CAPTURE(describe(p));
    const Kept kept(p, DType::f32);
    const auto drawn = [](const Shape& shape, uint32_t part) {
      Generator random(5, Draw::test, part);
      std::vector<float> values(static_cast<std::size_t>(shape.numel()));
      for (float& value : values) value = static_cast<float>(random.normal());
      return values;
    };
    const Shape o{p.conv.o}, x_shape = p.conv.x_shape(), w_shape = p.conv.weight_shape();
    const std::vector<float> x = drawn(x_shape, 0), w = drawn(w_shape, 1), dz = drawn(p.pool().y_shape(), 4);
    std::vector<float> gamma = drawn(o, 2), beta = drawn(o, 3);
    gamma[0] = beta[0] = 0;  // all of the channel lies on the kink of a ReLU
    Stream stream(Device::cpu);
    conv_block_forward(stream, p, {{x.data(), x_shape}}, {w.data(), w_shape}, {gamma.data(), o}, {beta.data(), o},
                       kept.y, kept.pooled, kept.argmax, kept.mean, kept.variance, kept.scale, kept.shift);
    std::vector<float> dx(x.size(), NAN);
    std::vector<std::vector<float>> gradients[2];
    for (bool wanted : {false, true}) {
      std::vector<float> dw(w.size(), NAN), dgamma(gamma.size(), NAN), dbeta(gamma.size(), NAN);
      conv_block_backward(stream, p, {{x.data(), x_shape}}, {w.data(), w_shape}, {gamma.data(), o}, kept.state(),
                          {dz.data(), p.pool().y_shape()}, wanted ? View{dx.data(), x_shape} : View{},
                          {dw.data(), w_shape}, {dgamma.data(), o}, {dbeta.data(), o});
      gradients[wanted] = {dw, dgamma, dbeta};
    }
    CHECK(gradients[0] == gradients[1]);
    if (p.activation.function == Activation::relu) CHECK(gradients[0][2][0] == 0);
  }
}

TEST_CASE("conv_block: gradients") {
  for (BlockProblem p :
       {signal_block(2, 7, 16, 16, 3, Activation::relu), image_block({1, 4, 5, 16}, 16, 2, 2, Activation::elu)}) {
    const Shape o{p.conv.o}, z = p.pool().y_shape();
    test::GradientCase gradient;
    gradient.name = "conv_block" + describe(p);
    gradient.proves = {"conv_block_backward"};
    gradient.inputs = {{p.conv.x_shape()}, {p.conv.weight_shape()}, {o}, {o}};
    gradient.outputs = {{z}, {p.conv.y_shape()}, {z}, {z, DType::u8}, {o}, {o}, {o}, {o}};
    gradient.forward = [=](Stream& stream, Inputs in, Outputs out) {
      conv_block_forward(stream, p, {in[0]}, in[1], in[2], in[3], out[1], out[2], out[3], out[4], out[5], out[6],
                         out[7]);
      const double *v = out[2].as<double>(), *center = out[4].as<double>(), *scale = out[6].as<double>(),
                   *shift = out[7].as<double>();
      for (int64_t i = 0; i < z.numel(); ++i) {
        const int64_t c = i % p.conv.o;
        out[0].as<double>()[i] = reference::block_activate(p.activation, scale[c] * (v[i] - center[c]) + shift[c]);
      }
    };
    gradient.backward = [=](Stream& stream, Inputs in, Outputs out, ConstView dz, Outputs gradients) {
      const BlockState state{out[1], out[2], out[3], out[4], out[5], out[6], out[7]};
      conv_block_backward(stream, p, {in[0]}, in[1], in[2], state, dz, gradients[0], gradients[1], gradients[2],
                          gradients[3]);
    };
    test::check_gradient(gradient);
  }
}

struct DeviceValues {
  Buffer buffer;
  View view;

  DeviceValues(const std::vector<float>& values, const Shape& shape, Device device)
      : buffer(arena(device).allocate(shape.numel() * size_of(DType::f32))),
        view{buffer.data(), shape, DType::f32, device} {
    copy({values.data(), shape}, view);
  }
};

// What the forward pass on `device` keeps, brought to the host.
Kept kept_on(Device device, const BlockProblem& p, const std::vector<float>& x, const std::vector<float>& weight,
             const std::vector<float>& gamma, const std::vector<float>& beta) {
  const Shape o{p.conv.o};
  const DeviceValues in(x, p.conv.x_shape(), device), w(weight, p.conv.weight_shape(), device), g(gamma, o, device),
      b(beta, o, device);
  const Kept kept(p, DType::f32, device);
  Kept host(p, DType::f32);
  Stream stream(device);
  conv_block_forward(stream, p, {in.view}, w.view, g.view, b.view, kept.y, kept.pooled, kept.argmax, kept.mean,
                     kept.variance, kept.scale, kept.shift);
  for (View Kept::*view :
       {&Kept::y, &Kept::pooled, &Kept::argmax, &Kept::mean, &Kept::variance, &Kept::scale, &Kept::shift})
    copy(kept.*view, host.*view);
  return host;
}

void check_winners(const BlockProblem& p, const Kept& kept, const std::vector<float>& gamma,
                   const std::vector<float>& beta) {
  const float* y = kept.y.as<float>();
  for (int64_t c = 0; c < p.conv.o; ++c) {
    int64_t wrong = 0;
    reference::for_each_winner(
        p, y, gamma[static_cast<std::size_t>(c)], c, [&](int64_t at, int64_t winner, int64_t place) {
          wrong += kept.argmax.as<uint8_t>()[at] != place || !(kept.pooled.as<float>()[at] == y[winner]);
        });
    CHECK(wrong == 0);
    double sum = 0, squares = 0;
    const auto positions = static_cast<double>(p.positions());
    for (int64_t i = c; i < kept.y.numel(); i += p.conv.o) sum += static_cast<double>(y[i]);
    for (int64_t i = c; i < kept.y.numel(); i += p.conv.o)
      squares += std::pow(static_cast<double>(y[i]) - sum / positions, 2);
    const double deviation = std::sqrt(squares / positions);  // in units of which a batch norm sees the mean
    CHECK(std::abs(static_cast<double>(kept.mean.as<float>()[c]) - sum / positions) <=
          1e-5 * deviation + 1e-6 * std::abs(sum / positions) + 1e-6);
    CHECK(std::abs(static_cast<double>(kept.variance.as<float>()[c]) - squares / positions) <=
          1e-4 * squares / positions + 1e-9);
    // The pending norm takes the exact mean out, whatever its rounding in f32.
    const double scale = static_cast<double>(kept.scale.as<float>()[c]);
    const double constant =
        scale * -static_cast<double>(kept.mean.as<float>()[c]) + static_cast<double>(kept.shift.as<float>()[c]);
    const double expected = scale * -sum / positions + static_cast<double>(beta[static_cast<std::size_t>(c)]);
    CHECK(std::abs(constant - expected) <= 1e-6 * (1 + std::abs(scale)) * (1 + std::sqrt(squares / positions)));
  }
}

// Where rounding decides between equals, the rule is the winner by y, first in row order.
TEST_CASE("conv_block_forward: the winner by y, on ties, constant windows and gamma of 0; statistics far from zero") {
  if (test::checks_races_only()) return;
  for (const BlockProblem& p : problems())
    for (int kind = 0; kind < 3; ++kind) {
      Generator random(11, Draw::test, static_cast<uint32_t>(kind));
      const auto drawn = [&](const Shape& shape, const auto& draw) {
        std::vector<float> values(static_cast<std::size_t>(shape.numel()));
        for (float& value : values) value = static_cast<float>(draw());
        return values;
      };
      const Shape o{p.conv.o};
      const auto x = drawn(p.conv.x_shape(), [&] {
        return kind == 0 ? std::round(random.normal()) : kind == 1 ? 0.7 : 1e3 + random.normal();
      });
      const auto weight =
          drawn(p.conv.weight_shape(), [&] { return kind == 0 ? std::round(random.normal()) : random.normal(); });
      const auto gamma = drawn(o, [&] { return random.below(3) == 0 ? 0.0 : random.normal(); });
      const auto beta = drawn(o, [&] { return random.normal(); });
      for (Device device : devices_of(p)) {
        INFO(describe(p), " kind ", kind, " on ", name_of(device));
        check_winners(p, kept_on(device, p, x, weight, gamma, beta), gamma, beta);
      }
    }
}

TEST_CASE("conv_block: errors and cost") {
  const BlockProblem p = signal_block(1, 9, 16, 16, 3, Activation::relu);
  CHECK(conv_block_applies(Device::cpu, p));
  CHECK(conv_block_applies(Device::simt, p));
  CHECK_FALSE(conv_block_applies(Device::simt, image_block({1, 9, 9, 16}, 16, 8, 9, Activation::relu)));
  CHECK_FALSE(conv_block_applies(Device::cpu, signal_block(1, 9, 8, 16, 3, Activation::relu)));
  CHECK_FALSE(conv_block_applies(Device::cpu, signal_block(1, 9, 16, 16, 3, Activation::sigmoid)));
  BlockProblem shorter = image_block({1, 9, 9, 16}, 16, 2, 2, Activation::relu);
  CHECK(conv_block_applies(Device::cpu, shorter));
  shorter.conv.rows = {.size = 3};
  CHECK_FALSE(conv_block_applies(Device::cpu, shorter));
  const int64_t y = 9 * 16, pooled = 3 * 16;
  CHECK(conv_block_forward_cost(p, 4) == Cost{2 * y * 3 * 16 + 4 * y, (9 * 16 + 3 * 256 + y + pooled) * 4 + pooled});
  CHECK(conv_block_backward_cost(p, 4) ==
        Cost{4 * y * 3 * 16 + 3 * y, (2 * 9 * 16 + 2 * 3 * 256 + y + 2 * pooled) * 4 + pooled});
  std::vector<float> x(144), folded(static_cast<std::size_t>(conv_block_folded_size(Device::cpu, p))), z(48);
  Stream stream(Device::cpu);
  CHECK_THROWS_WITH_AS(
      conv_block_infer(stream, p, {{x.data(), {1, 3, 3, 16}}}, {folded.data(), {static_cast<int64_t>(folded.size())}},
                       {z.data(), {1, 3, 1, 16}}),
      "conv_block_infer: x is (1, 3, 3, 16), expected (1, 9, 1, 16)", Error);
}

}  // namespace
}  // namespace melgrad
