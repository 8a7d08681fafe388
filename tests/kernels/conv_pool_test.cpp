#include "kernels/conv_pool.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "kernels/reference/conv_pool.h"
#include "kernels/reference/winograd.h"
#include "tests/kernels/gradient_check.h"

namespace melgrad {
namespace {

using test::FillFunction;
using test::Inputs;
using test::OperationCase;
using test::Outputs;

Window same(int64_t size, int64_t stride, int64_t length) {
  return padded({.size = size, .stride = stride}, Padding::same, length);
}

Conv2dProblem convolution(const Shape& x, int64_t o, std::pair<int64_t, int64_t> kernel, Padding padding) {
  return {x[0], x[1], x[2], x[3], o, padded({kernel.first}, padding, x[1]), padded({kernel.second}, padding, x[2])};
}

ConvPoolProblem plain(const Conv2dProblem& conv, ActivationChoice f) {
  return {conv, {}, {}, f};
}

// Windows side by side, what is left over at the end ignored.
ConvPoolProblem pooled(const Conv2dProblem& conv, std::pair<int64_t, int64_t> pool, ActivationChoice f) {
  return {conv, {pool.first, pool.first}, {pool.second, pool.second}, f};
}

// Windows that may overlap and reach over the border.
ConvPoolProblem over(const Conv2dProblem& conv, int64_t size, int64_t stride, ActivationChoice f) {
  return {conv, same(size, stride, conv.h_out()), same(size, stride, conv.w_out()), f};
}

const std::vector<ConvPoolProblem>& problems() {
  constexpr Padding pad = Padding::same, valid = Padding::valid;
  constexpr auto relu = Activation::relu, elu = Activation::elu;
  static const std::vector<ConvPoolProblem> all{
      over(convolution({3, 20, 13, 1}, 48, {4, 4}, valid), 4, 2, relu),  // the GTZAN network's three
      over(convolution({2, 19, 5, 48}, 32, {3, 3}, valid), 3, 2, relu),  //
      over(convolution({9, 7, 2, 32}, 16, {2, 2}, valid), 2, 2, relu),   // more samples than chunks
      plain(convolution({2, 17, 13, 1}, 16, {2, 2}, pad), relu),         // the key network's
      pooled(convolution({2, 10, 13, 16}, 32, {2, 2}, pad), {2, 2}, relu),
      plain(convolution({1, 11, 44, 32}, 33, {2, 2}, pad), relu),  // Winograd's tiles
      pooled(convolution({2, 11, 12, 33}, 32, {2, 2}, pad), {2, 2}, relu),
      pooled(convolution({2, 11, 13, 16}, 17, {3, 3}, pad), {4, 2}, elu),
      over(convolution({1, 7, 9, 16}, 16, {3, 3}, valid), 3, 2, relu),
      plain(convolution({2, 7, 37, 1}, 8, {5, 5}, pad), elu),  // key-kw17's: vectors along pixels
      plain(convolution({2, 19, 105, 8}, 8, {5, 5}, pad), {Activation::elu, 0.5}),
      pooled(convolution({1, 23, 14, 1}, 32, {3, 3}, pad), {4, 2}, relu),  // mtat-cnn3's first
      over(convolution({2, 13, 29, 3}, 2, {3, 2}, pad), 3, 2, {Activation::leaky_relu, 0.1}),
      over(convolution({2, 11, 9, 5}, 17, {3, 2}, pad), 3, 1, Activation::linear),  // a lane more than a vector or two
      {convolution({2, 13, 11, 2}, 33, {2, 3}, valid), {2, 3}, {2, 3}, relu},       // gaps between windows
      {convolution({1, 13, 11, 4}, 7, {1, 1}, valid), {3, 2, 1, 2, 0}, {3, 2, 1, 1, 2}, elu},  // unlike pads
      pooled(convolution({1, 260, 40, 8}, 20, {5, 5}, pad), {2, 2}, relu),                     // several blocks
      over(convolution({1, 150, 31, 2}, 19, {4, 2}, valid), 5, 2, relu),                       // that share rows of y
      pooled(convolution({2, 61, 1, 3}, 5, {4, 1}, pad), {3, 1}, relu),                        // a signal
      pooled(convolution({2, 1, 61, 3}, 5, {1, 4}, pad), {1, 3}, relu),
      {{2, 9, 8, 3, 6, {3, 1, 1, 2, 0}, {4, 1, 1, 0, 3}},
       {2, 2},
       {},
       elu},  // all padding on one side; rows pooled alone
      plain({1, 1, 1, 1, 1, {}, {}}, Activation::linear),
      pooled(convolution({0, 6, 6, 2}, 3, {2, 2}, valid), {2, 2}, relu)};
  return all;
}

std::string describe(const ConvPoolProblem& p) {
  return fmt::format(" {} by {}x{} to {}, pool {}x{} stride {}x{}, {}", p.conv.x_shape().to_string(), p.conv.rows.size,
                     p.conv.columns.size, p.conv.o, p.pool_rows.size, p.pool_columns.size, p.pool_rows.stride,
                     p.pool_columns.stride, name_of(p.activation.function));
}

enum : int { x_in, weight_in, bias_in, dz_in };

std::vector<test::InputSpec> input_specs(const ConvPoolProblem& p) {
  return {{p.conv.x_shape()}, {p.conv.weight_shape()}, {{p.conv.o}}, {p.pool().y_shape()}};
}

std::vector<double> absolute(ConstView view) {
  std::vector<double> values(view.as<double>(), view.as<double>() + view.numel());
  for (double& value : values) value = std::abs(value);
  return values;
}

bool in_tiles(const ConvPoolProblem& p) {
  const ConvAlgorithm algorithm = conv2d_automatic(Device::cpu, p.conv);
  return algorithm == ConvAlgorithm::winograd_f4 || algorithm == ConvAlgorithm::winograd_f6;
}

// A direction of the convolution on absolute numbers: Σ|terms|, or what bounds them where the sums are Winograd's.
using reference::WinogradDirection;
void absolute_sums(const ConvPoolProblem& p, WinogradDirection direction, ConstView a, ConstView b, View out) {
  if (in_tiles(p)) {
    const Conv2dProblem row = as_one_row(p.conv);
    if (row.columns.size == 2) return reference::winograd_conv2d<7>(row, direction, a, b, out, true);
    return reference::winograd_conv2d<6>(row, direction, a, b, out, true);
  }
  const std::vector<double> first = absolute(a), second = absolute(b);
  const ConstView x{first.data(), a.shape, DType::f64}, y{second.data(), b.shape, DType::f64};
  if (direction == WinogradDirection::forward) return reference::conv2d_forward<double>(p.conv, x, y, out);
  if (direction == WinogradDirection::data) return reference::conv2d_backward_data<double>(p.conv, x, y, out);
  reference::conv2d_backward_weight<double>(p.conv, x, y, out);
}

// Σ|w x| + |b| of each y, at its largest in a channel: what a winner may have rounded by.
std::vector<double> largest_sums(const ConvPoolProblem& p, Inputs in) {
  const std::vector<double> b = absolute(in[bias_in]);
  std::vector<double> y(static_cast<std::size_t>(p.conv.y_shape().numel())), largest(b);
  absolute_sums(p, WinogradDirection::forward, in[x_in], in[weight_in], {y.data(), p.conv.y_shape(), DType::f64});
  for (std::size_t i = 0; i < y.size(); ++i) {
    double& most = largest[i % b.size()];
    most = std::max(most, y[i] + b[i % b.size()]);
  }
  return largest;
}

TEST_CASE("conv_pool_forward agrees with the reference, with and without winners and bias") {
  for (const ConvPoolProblem& p : problems())
    for (bool winners : {false, true})
      for (bool bias : {false, true}) {
        if (winners && !p.pools()) continue;
        const Shape z = p.pool().y_shape();
        OperationCase forward;
        forward.name =
            fmt::format("conv_pool_forward{}{}{}", describe(p), winners ? " winners" : "", bias ? " bias" : "");
        forward.devices = {Device::cpu};
        forward.inputs = input_specs(p);
        forward.inputs.pop_back();
        forward.outputs = {{z}};
        if (winners) forward.outputs.push_back({z, DType::i32});
        const auto split = [=](Inputs in, Outputs out) {
          return std::pair(bias ? in[bias_in] : ConstView{}, winners ? out[1] : View{});
        };
        forward.run = [=](Stream& stream, Inputs in, Outputs out) {
          const auto [b, argmax] = split(in, out);
          conv_pool_forward(stream, p, in[x_in], in[weight_in], b, out[0], argmax);
        };
        forward.reference = [=](Inputs in, Outputs out) {
          const auto [b, argmax] = split(in, out);
          reference::conv_pool_forward<double>(p, in[x_in], in[weight_in], b, out[0], argmax);
        };
        forward.magnitude = [=](Inputs in, Outputs out) {
          const std::vector<double> largest = largest_sums(p, in);
          for (int64_t i = 0; i < out[0].numel(); ++i)
            out[0].as<double>()[i] = largest[static_cast<std::size_t>(i % p.conv.o)];
          if (winners) std::fill_n(out[1].as<int32_t>(), out[1].numel(), 0);
        };
        forward.reduction_length = p.conv.taps() * p.conv.c + (in_tiles(p) ? 9 : 1);
        // Sums of integers are exact, and ties many: the first of them wins. ELU's exponential is not.
        forward.exact_on_integers =
            p.activation.function != Activation::elu && p.activation.alpha != 0.1 && !in_tiles(p);
        test::check(forward);
      }
}

// The forward pass for what the backward pass needs, in the run's type.
struct Kept {
  std::vector<double> z;
  std::vector<int32_t> argmax;
  View z_view, argmax_view;

  Kept(const ConvPoolProblem& p, DType dtype)
      : z(static_cast<std::size_t>(p.pool().y_shape().numel())),
        argmax(p.pools() ? z.size() : 0),
        z_view{z.data(), p.pool().y_shape(), dtype},
        argmax_view{p.pools() ? argmax.data() : nullptr, p.pool().y_shape(), DType::i32} {}
};

void reference_both(const ConvPoolProblem& p, Inputs in, Outputs out) {
  const Kept kept(p, DType::f64);
  reference::conv_pool_forward<double>(p, in[x_in], in[weight_in], in[bias_in], kept.z_view, kept.argmax_view);
  reference::conv_pool_backward<double>(p, in[x_in], in[weight_in], kept.z_view, kept.argmax_view, in[dz_in], out[0],
                                        out[1], out[2]);
}

TEST_CASE("conv_pool_backward agrees with the reference") {
  for (const ConvPoolProblem& p : problems()) {
    OperationCase both;
    both.name = "conv_pool_backward" + describe(p);
    both.devices = {Device::cpu};
    both.inputs = input_specs(p);
    both.outputs = {{p.conv.x_shape()}, {p.conv.weight_shape()}, {{p.conv.o}}};
    both.run = [=](Stream& stream, Inputs in, Outputs out) {
      const Kept kept(p, in[x_in].dtype);
      conv_pool_forward(stream, p, in[x_in], in[weight_in], in[bias_in], kept.z_view, kept.argmax_view);
      conv_pool_backward(stream, p, in[x_in], in[weight_in], kept.z_view, kept.argmax_view, in[dz_in], out[0], out[1],
                         out[2]);
    };
    both.reference = [=](Inputs in, Outputs out) { reference_both(p, in, out); };
    // The convolution's gradients of absolute numbers, by the winners of these; f' of ELU has z's rounding.
    both.magnitude = [=](Inputs in, Outputs out) {
      const Kept kept(p, DType::f64);
      reference::conv_pool_forward<double>(p, in[x_in], in[weight_in], in[bias_in], kept.z_view, kept.argmax_view);
      const std::vector<double> largest = largest_sums(p, in);
      std::vector<double> dz = absolute(in[dz_in]);
      for (std::size_t i = 0; p.activation.function == Activation::elu && i < dz.size(); ++i)
        dz[i] *= 1 + largest[i % largest.size()];
      std::vector<double> dy(dz);
      const View dz_view{dz.data(), p.pool().y_shape(), DType::f64};
      if (p.pools()) {
        dy.resize(static_cast<std::size_t>(p.conv.y_shape().numel()));
        reference::max_pool2d_backward<double>(p.pool(), dz_view, kept.argmax_view,
                                               {dy.data(), p.conv.y_shape(), DType::f64});
      }
      const ConstView gradient{dy.data(), p.conv.y_shape(), DType::f64};
      absolute_sums(p, WinogradDirection::data, gradient, in[weight_in], out[0]);
      absolute_sums(p, WinogradDirection::weight, gradient, in[x_in], out[1]);
      for (int64_t o = 0; o < p.conv.o; ++o) {
        double& sum = out[2].as<double>()[o] = 0;
        for (std::size_t i = static_cast<std::size_t>(o); i < dy.size(); i += static_cast<std::size_t>(p.conv.o))
          sum += dy[i];
      }
    };
    both.reduction_length = 64;
    both.exact_on_integers =
        !in_tiles(p) && (p.activation.function == Activation::relu || p.activation.function == Activation::linear);
    test::check(both);
  }
}

TEST_CASE("conv_pool_backward without dx and dbias gives the same dweight") {
  for (const ConvPoolProblem& p : problems()) {
    Generator random(3, Draw::test);
    std::vector<std::vector<float>> in;
    for (const test::InputSpec& spec : input_specs(p)) {
      in.emplace_back(static_cast<std::size_t>(spec.shape.numel()));
      for (float& value : in.back()) value = static_cast<float>(random.normal());
    }
    const auto view = [&](int i, const Shape& shape) {
      return ConstView{in[static_cast<std::size_t>(i)].data(), shape};
    };
    const ConstView x = view(x_in, p.conv.x_shape()), weight = view(weight_in, p.conv.weight_shape());
    const ConstView bias = view(bias_in, {p.conv.o}), dz = view(dz_in, p.pool().y_shape());
    Stream stream(Device::cpu);
    const Kept kept(p, DType::f32);
    conv_pool_forward(stream, p, x, weight, bias, kept.z_view, kept.argmax_view);
    std::vector<float> dx(in[x_in]), dbias(in[bias_in]), all(in[weight_in].size(), 1), alone(all.size(), 2);
    conv_pool_backward(stream, p, x, weight, kept.z_view, kept.argmax_view, dz, {dx.data(), p.conv.x_shape()},
                       {all.data(), p.conv.weight_shape()}, {dbias.data(), {p.conv.o}});
    conv_pool_backward(stream, p, x, weight, kept.z_view, kept.argmax_view, dz, {},
                       {alone.data(), p.conv.weight_shape()}, {});
    CHECK(all == alone);
  }
}

TEST_CASE("conv_pool: gradients") {
  for (const ConvPoolProblem& p : problems()) {
    if (p.conv.x_shape().numel() > 700 || p.conv.x_shape().numel() == 0) continue;
    const Shape z = p.pool().y_shape(), o{p.conv.o};
    test::GradientCase gradient;
    gradient.name = "conv_pool" + describe(p);
    gradient.proves = {"conv_pool_backward"};
    gradient.inputs = {{p.conv.x_shape()}, {p.conv.weight_shape()}, {o}};
    gradient.outputs = {{z}};
    if (p.pools()) gradient.outputs.push_back({z, DType::i32});
    gradient.forward = [=](Stream& stream, Inputs in, Outputs out) {
      conv_pool_forward(stream, p, in[0], in[1], in[2], out[0], p.pools() ? out[1] : View{});
    };
    gradient.backward = [=](Stream& stream, Inputs in, Outputs out, ConstView dz, Outputs gradients) {
      conv_pool_backward(stream, p, in[0], in[1], out[0], p.pools() ? out[1] : View{}, dz, gradients[0], gradients[1],
                         gradients[2]);
    };
    test::check_gradient(gradient);
  }
}

TEST_CASE("conv_pool_forward: a NaN wins its windows, and no other") {
  for (const ConvPoolProblem& p : problems())
    for (bool winners : {false, true}) {
      const auto size = [](const Shape& shape) { return static_cast<std::size_t>(shape.numel()); };
      if (size(p.conv.x_shape()) < 40 || in_tiles(p)) continue;  // a transform spreads it over its tile
      std::vector<float> x(size(p.conv.x_shape())), weight(size(p.conv.weight_shape()));
      Generator random(5, Draw::test);
      for (auto* values : {&x, &weight})
        for (float& value : *values) value = static_cast<float>(random.normal());
      x[x.size() / 3] = std::numeric_limits<float>::quiet_NaN();
      std::vector<double> exact_x(x.begin(), x.end()), exact_weight(weight.begin(), weight.end());
      Stream stream(Device::cpu);
      const Kept kept(p, DType::f32), exact(p, DType::f64);
      conv_pool_forward(stream, p, {x.data(), p.conv.x_shape()}, {weight.data(), p.conv.weight_shape()}, {},
                        kept.z_view, winners && p.pools() ? kept.argmax_view : View{});
      reference::conv_pool_forward<double>(p, {exact_x.data(), p.conv.x_shape(), DType::f64},
                                           {exact_weight.data(), p.conv.weight_shape(), DType::f64}, {}, exact.z_view,
                                           exact.argmax_view);
      int64_t wrong = 0;
      for (int64_t i = 0; i < kept.z_view.numel(); ++i) {
        const bool nan = std::isnan(exact.z_view.as<double>()[i]);
        wrong += std::isnan(kept.z_view.as<float>()[i]) != nan;
        if (nan && winners && p.pools())
          wrong += kept.argmax[static_cast<std::size_t>(i)] != exact.argmax[static_cast<std::size_t>(i)];
      }
      CAPTURE(describe(p));
      CHECK(wrong == 0);
    }
}

TEST_CASE("conv_pool: where it applies, errors and cost") {
  const Conv2dProblem conv = convolution({1, 6, 6, 2}, 3, {2, 2}, Padding::valid);
  const ConvPoolProblem p = pooled(conv, {2, 2}, Activation::relu);
  CHECK(conv_pool_applies(Device::cpu, p));
  CHECK_FALSE(conv_pool_applies(Device::simt, p));
  CHECK_FALSE(conv_pool_applies(Device::cpu, pooled(conv, {2, 2}, Activation::sigmoid)));
  Conv2dProblem strided = conv, groups = conv;
  strided.rows.stride = 2;
  groups.o = 4, groups.groups = 2;
  CHECK_FALSE(conv_pool_applies(Device::cpu, plain(strided, Activation::relu)));
  CHECK_FALSE(conv_pool_applies(Device::cpu, plain(groups, Activation::relu)));
  ConvPoolProblem dilated = p;
  dilated.pool_rows.dilation = 2;
  CHECK_FALSE(conv_pool_applies(Device::cpu, dilated));
  const int64_t x = 72, weight = 24, y = 75, z = 12;
  CHECK(conv_pool_forward_cost(p, 4) == Cost{2 * y * 8, (x + weight + z) * 4 + z * 4});
  CHECK(conv_pool_backward_cost(p, 4) == Cost{4 * y * 8, (2 * x + 2 * weight + 2 * z) * 4 + z * 4});
  std::vector<float> values(72);
  Stream stream(Device::cpu);
  CHECK_THROWS_WITH_AS(conv_pool_forward(stream, p, {values.data(), {1, 6, 6, 2}}, {values.data(), {2, 2, 2, 3}}, {},
                                         {values.data(), {1, 2, 2, 4}}, {}),
                       "conv_pool_forward: z is (1, 2, 2, 4), expected (1, 2, 2, 3)", Error);
  CHECK_THROWS_WITH_AS(conv_pool_backward(stream, p, {values.data(), {1, 6, 6, 2}}, {values.data(), {2, 2, 2, 3}},
                                          {values.data(), {1, 2, 2, 3}}, {}, {values.data(), {1, 2, 2, 3}}, {},
                                          {values.data(), {2, 2, 2, 3}}, {}),
                       "conv_pool_backward: a pool, but no argmax of its forward pass", Error);
}

}  // namespace
}  // namespace melgrad
