#include "kernels/conv2d.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/reference/conv2d.h"
#include "kernels/reference/winograd.h"
#include "tests/kernels/gradient_check.h"

namespace melgrad {
namespace {

using test::Inputs;
using test::OperationCase;
using test::Outputs;

Conv2dProblem grouped(Conv2dProblem problem, int64_t groups) {
  problem.groups = groups;
  return problem;
}

Conv2dProblem problem_of(const Shape& x, int64_t o, Window rows, Window columns, Padding padding) {
  return {x[0], x[1], x[2], x[3], o, padded(rows, padding, x[1]), padded(columns, padding, x[2])};
}

std::vector<Conv2dProblem> problems() {
  constexpr Padding same = Padding::same, valid = Padding::valid;
  return {
      problem_of({3, 20, 13, 1}, 48, {4}, {4}, valid),              // the GTZAN network's three
      problem_of({2, 9, 5, 48}, 32, {3}, {3}, valid),               //
      problem_of({9, 7, 2, 32}, 16, {2}, {2}, valid),               // more samples than chunks of the weight gradient
      problem_of({2, 7, 9, 3}, 5, {4, 2}, {3, 2}, same),            // unlike strides of a `same` with odd pads
      problem_of({1, 8, 8, 2}, 7, {2}, {2}, same),                  // pads 0 before, 1 after
      problem_of({2, 11, 13, 3}, 17, {3, 1, 2}, {2, 3, 3}, valid),  // dilation
      problem_of({2, 11, 10, 5}, 33, {3, 2, 3}, {3, 1, 2}, same),   // dilation, stride and padding
      problem_of({2, 5, 6, 19}, 37, {1}, {1}, valid),               // a matrix product
      problem_of({1, 1, 1, 1}, 1, {1}, {1}, valid),
      problem_of({1, 1, 300, 2}, 3, {1}, {7, 4}, same),   // 1-D
      problem_of({1, 5, 5, 130}, 2, {5}, {5}, valid),     // one position, a long sum
      problem_of({0, 4, 4, 3}, 2, {2}, {2}, valid),       // an empty batch
      {1, 4, 6, 7, 5, {3, 2, 1, 2, 0}, {3, 1, 1, 0, 2}},  // padding on one side only
      {2, 5, 6, 3, 4, {2}, {3, 1, 1, 1, 0}},              // one column of it, before
      {2, 5, 6, 3, 4, {2}, {3, 1, 1, 0, 1}},              // and after
      problem_of({1, 4, 9, 2}, 3, {2}, {3, 1, 2}, same),  // dilation
      grouped(problem_of({1, 4, 5, 4}, 6, {2}, {2}, same), 2),
      problem_of({1, 260, 40, 8}, 20, {5}, {5}, same),    // several blocks of patches a sample,
      problem_of({2, 2, 200, 83}, 1, {2}, {1}, same),     // also of few products: a row a block,
      problem_of({1, 2, 4100, 1}, 1, {1}, {9}, same),     // of one channel,
      problem_of({1, 11, 1, 3300}, 1, {10}, {1}, valid),  // and of one column
      grouped(problem_of({2, 7, 6, 6}, 9, {3, 2}, {2}, same), 3),
      grouped(problem_of({3, 9, 5, 7}, 7, {3}, {3, 1, 2}, same), 7),  // depthwise
      grouped(problem_of({2, 40, 1, 5}, 15, {4, 3}, {1}, valid), 5),  // depthwise, three filters a channel, 1-D
      grouped(problem_of({1, 200, 70, 34}, 36, {3}, {3}, same), 2),   // groups in several blocks of patches
      problem_of({3, 27, 1, 5}, 7, {3}, {1}, same),        // Conv1D of width 3: few channels, several samples a block,
      problem_of({2, 31, 1, 33}, 65, {3}, {1}, valid),     // one channel more than a block or two,
      problem_of({1, 1009, 1, 3}, 4, {3}, {1}, same),      // blocks that start inside a row and overlap,
      problem_of({5, 1, 1, 17}, 18, {3}, {1}, same),       // an axis shorter than the window,
      {2, 13, 1, 6, 3, {3, 1, 1, 2, 0}, {1}},              // padding before alone,
      {2, 14, 1, 6, 3, {3, 1, 1, 0, 2}, {1}},              // and after alone
      problem_of({25, 1, 217, 2}, 3, {1}, {3}, same),      // more blocks than are shared: one of 37 tiles a sample
      problem_of({1, 1, 9, 33}, 34, {1}, {3}, same),       // two blocks of channels on both sides,
      problem_of({1, 3, 8, 33}, 2, {3}, {3}, same),        // or on one, with row taps
      problem_of({1, 3, 8, 2}, 33, {3}, {3}, same),        //
      problem_of({1, 1, 14, 3}, 4, {1}, {3}, valid),       // the last tile's overlap is the row's end
      {3, 9, 31, 7, 9, {3, 1, 1, 2, 1}, {3, 1, 1, 1, 0}},  // Conv2D 3×3, unlike padding
      problem_of({1, 40, 200, 2}, 3, {2}, {3}, same),      // two row taps, blocks of several rows
      problem_of({2, 19, 44, 33}, 34, {2}, {2}, same),  // columns 2 wide: F(5, 2) and F(7, 2), a channel over a block
      problem_of({1, 40, 203, 3}, 2, {2}, {2}, valid),  // in blocks that start inside a row
      {2, 5, 17, 4, 5, {1}, {2, 1, 1, 1, 1}},           // padding on both sides
      problem_of({2, 1009, 1, 3}, 4, {2}, {1}, same),   // a signal
  };
}

std::string describe(const Conv2dProblem& p) {
  return fmt::format(" {} -> {}, {}x{} stride {}x{} dilation {}x{} groups {}", p.x_shape().to_string(), p.o,
                     p.rows.size, p.columns.size, p.rows.stride, p.columns.stride, p.rows.dilation, p.columns.dilation,
                     p.groups);
}

std::vector<ConvAlgorithm> algorithms(Device device, const Conv2dProblem& problem) {
  std::vector<ConvAlgorithm> all = conv2d_algorithms(device, problem);
  all.push_back(ConvAlgorithm::automatic);
  return all;
}

// Operands rounded to so many bits of precision (bf16 has 8, TF32 11): rounding moves an operand by at most e = 2^-bits of
// itself, a product by 2e + e². That is the bound, with one rounding of f32; its sums' own are far below.
void widen_to(int bits, OperationCase& direction) {
  const double e = std::ldexp(1.0, -bits);
  direction.magnitude = [e, reference = direction.reference](Inputs in, Outputs out) {
    std::vector<std::vector<double>> absolute;
    std::vector<ConstView> views(in.begin(), in.end());
    for (ConstView& view : views) {
      const double* values = view.as<double>();
      absolute.emplace_back(values, values + view.numel());
      for (double& value : absolute.back()) value = std::abs(value);
    }
    for (std::size_t i = 0; i < views.size(); ++i) views[i].data = absolute[i].data();
    reference(views, out);
    double* values = out[0].as<double>();
    for (int64_t i = 0; i < out[0].numel(); ++i) values[i] *= 1 + (2 * e + e * e) / 0x1p-23;
  };
  direction.reduction_length = 1;
}

// Outputs of a tile, 0 for algorithms that sum the products themselves.
int winograd_outputs(ConvAlgorithm algorithm, const Conv2dProblem& problem) {
  if (algorithm == ConvAlgorithm::automatic) algorithm = conv2d_automatic(Device::cpu, problem);
  return algorithm == ConvAlgorithm::winograd_f4 ? 4 : algorithm == ConvAlgorithm::winograd_f6 ? 6 : 0;
}

void winograd_reference(const Conv2dProblem& problem, int outputs, reference::WinogradDirection direction, Inputs in,
                        Outputs out, bool absolute) {
  const Conv2dProblem p = as_one_row(problem);
  const auto run = [&]<int m>() { reference::winograd_conv2d<m>(p, direction, in[0], in[1], out[0], absolute); };
  if (p.columns.size == 2) return outputs == 4 ? run.operator()<5>() : run.operator()<7>();
  return outputs == 4 ? run.operator()<4>() : run.operator()<6>();
}

// The three directions as cases: sums of products, so exact on integers. Winograd's rounds: its bound is that of its own
// bilinear form.
std::vector<OperationCase> directions(const Conv2dProblem& problem, ConvAlgorithm algorithm,
                                      Device device = Device::cpu) {
  const int outputs = device == Device::cpu ? winograd_outputs(algorithm, problem) : 0;
  const auto direction = [&](const std::string& name, const Shape& a, const Shape& b, const Shape& out,
                             int64_t length) {
    OperationCase one;
    one.name = name + describe(problem);
    one.algorithm = name_of(algorithm);
    one.devices = {device};
    one.inputs = {{a}, {b}};
    one.outputs = {{out}};
    one.reduction_length = length;
    one.exact_on_integers = outputs == 0;
    if (outputs != 0) one.reduction_length += 8;  // the transforms' own roundings
    return one;
  };
  const Shape x = problem.x_shape(), w = problem.weight_shape(), y = problem.y_shape();
  std::vector<OperationCase> all{
      direction("conv2d_forward", x, w, y, problem.taps() * problem.group_c()),
      direction("conv2d_backward_data", y, w, x, problem.taps() * problem.group_o()),
      direction("conv2d_backward_weight", y, x, w, problem.n * problem.h_out() * problem.w_out())};
  all[0].run = [=](Stream& stream, Inputs in, Outputs out) {
    conv2d_forward(stream, problem, in[0], in[1], out[0], algorithm);
  };
  all[0].reference = [=](Inputs in, Outputs out) { reference::conv2d_forward<double>(problem, in[0], in[1], out[0]); };
  all[1].run = [=](Stream& stream, Inputs in, Outputs out) {
    conv2d_backward_data(stream, problem, in[0], in[1], out[0], algorithm);
  };
  all[1].reference = [=](Inputs in, Outputs out) {
    reference::conv2d_backward_data<double>(problem, in[0], in[1], out[0]);
  };
  all[2].run = [=](Stream& stream, Inputs in, Outputs out) {
    conv2d_backward_weight(stream, problem, in[0], in[1], out[0], algorithm);
  };
  all[2].reference = [=](Inputs in, Outputs out) {
    reference::conv2d_backward_weight<double>(problem, in[0], in[1], out[0]);
  };
  using reference::WinogradDirection;
  constexpr WinogradDirection order[] = {WinogradDirection::forward, WinogradDirection::data,
                                         WinogradDirection::weight};
  for (int i = 0; outputs != 0 && i < 3; ++i)
    all[i].magnitude = [=, direction = order[i]](Inputs in, Outputs out) {
      winograd_reference(problem, outputs, direction, in, out, true);
    };
  for (OperationCase& one : all) {
    if (algorithm == ConvAlgorithm::tensor_core) widen_to(8, one);
    if (algorithm == ConvAlgorithm::cudnn_tf32) widen_to(11, one);
  }
  return all;
}

TEST_CASE("a convolution of width 1 is one of height 1; any other stays as it is") {
  const Window three{3, 2, 1, 1, 0};
  const Conv2dProblem column{2, 7, 1, 3, 4, three, {1}}, row{2, 1, 7, 3, 4, {1}, three};
  CHECK(as_one_row(column) == row);
  CHECK(as_one_row(row) == row);
  const Conv2dProblem two_wide{2, 7, 2, 3, 4, three, {1}}, wide_kernel{2, 7, 1, 3, 4, three, {2, 1, 1, 1, 0}};
  CHECK(as_one_row(two_wide) == two_wide);
  CHECK(as_one_row(wide_kernel) == wide_kernel);
}

// The matrices are exact: in f64 the form agrees with the definition to its rounding.
void check_form(const Conv2dProblem& problem) {
  using reference::WinogradDirection;
  const auto values = [](const Shape& shape, uint32_t part) {
    Generator random(3, Draw::test, part);
    std::vector<double> array(static_cast<std::size_t>(shape.numel()));
    for (double& value : array) value = random.normal();
    return array;
  };
  const Shape shapes[] = {problem.x_shape(), problem.weight_shape(), problem.y_shape()};
  const std::vector<double> arrays[] = {values(shapes[0], 0), values(shapes[1], 1), values(shapes[2], 2)};
  constexpr int operands[3][3] = {{0, 1, 2}, {2, 1, 0}, {2, 0, 1}};  // two inputs and the result of each direction
  for (int outputs : {4, 6})
    for (int direction = 0; direction < 3; ++direction) {
      const auto [a, b, result] = operands[direction];
      const ConstView in[] = {{arrays[a].data(), shapes[a], DType::f64}, {arrays[b].data(), shapes[b], DType::f64}};
      std::vector<double> expected(arrays[result].size()), form(arrays[result].size());
      const View exact[] = {{expected.data(), shapes[result], DType::f64}};
      const View by_form[] = {{form.data(), shapes[result], DType::f64}};
      directions(problem, ConvAlgorithm::direct)[direction].reference(in, exact);
      winograd_reference(problem, outputs, static_cast<WinogradDirection>(direction), in, by_form, false);
      for (std::size_t i = 0; i < form.size(); ++i) CHECK(form[i] == doctest::Approx(expected[i]).epsilon(1e-12));
    }
}

TEST_CASE("conv2d: Winograd's form is the convolution") {
  check_form({2, 5, 13, 3, 4, {2, 1, 1, 1, 0}, {3, 1, 1, 2, 1}});
  check_form({2, 5, 13, 3, 4, {2, 1, 1, 1, 0}, {2, 1, 1, 1, 0}});
}

// In two cases: whoever looks for a mistake begins with what takes no time.
void check_on_cpu(bool small) {
  constexpr int64_t few = 600'000;  // flops
  for (const Conv2dProblem& problem : problems()) {
    if ((conv2d_cost(problem, 4).flops <= few) != small) continue;
    for (ConvAlgorithm algorithm : algorithms(Device::cpu, problem))
      for (const OperationCase& direction : directions(problem, algorithm)) test::check(direction);
  }
}

TEST_CASE("conv2d agrees with the reference in every direction and algorithm: small problems") {
  check_on_cpu(true);
}

TEST_CASE("conv2d agrees with the reference in every direction and algorithm: larger problems") {
  check_on_cpu(false);
}

// The algorithms that `wanted` names, in every direction; the cheapest problems first, so that a fault shows soon.
void check_cuda_kernels(std::initializer_list<ConvAlgorithm> wanted) {
  constexpr Padding same = Padding::same, valid = Padding::valid;
  std::vector<Conv2dProblem> all = problems();
  all.push_back(problem_of({1, 37, 31, 3}, 5, {3}, {3, 2}, same));  // three chunks of the weight gradient
  all.push_back(problem_of({2, 61, 1, 6}, 70, {5, 2}, {1}, same));  // a Conv1D of more channels than a tile
  all.push_back(problem_of({3, 1, 40, 3}, 33, {1}, {4}, valid));    // overlapping rows without padding
  all.push_back({2, 1, 33, 5, 34, {1}, {6, 3, 1, 4, 1}});           // and with unlike pads
  all.push_back(grouped(problem_of({2, 6, 7, 12}, 10, {2}, {3}, same), 2));
  constexpr int64_t slow = 3'000'000;  // flops: simt runs about a thousandth of a GPU's a second
  const auto flops = [](const Conv2dProblem& problem) { return conv2d_cost(problem, 4).flops; };
  std::erase_if(all, [&](const Conv2dProblem& problem) { return flops(problem) > slow; });
  std::stable_sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return flops(a) < flops(b); });
  for (const Conv2dProblem& problem : all)
    for (ConvAlgorithm algorithm : algorithms(Device::simt, problem))
      if (std::count(wanted.begin(), wanted.end(), algorithm) != 0)
        for (const OperationCase& direction : directions(problem, algorithm, Device::simt)) test::check(direction);
}

TEST_CASE("conv2d's CUDA kernels agree with the reference: loops over the definition") {
  check_cuda_kernels({ConvAlgorithm::direct});
}
TEST_CASE("conv2d's CUDA kernels agree with the reference: implicit matrix products") {
  check_cuda_kernels({ConvAlgorithm::implicit_gemm});
}
TEST_CASE("conv2d's CUDA kernels agree with the reference: overlapping rows") {
  check_cuda_kernels({ConvAlgorithm::strided_gemm});
}
TEST_CASE("conv2d's CUDA kernels agree with the reference: tensor cores") {
  check_cuda_kernels({ConvAlgorithm::tensor_core});
}
TEST_CASE("conv2d's CUDA kernels agree with the reference: cuDNN and what is chosen") {
  check_cuda_kernels({ConvAlgorithm::cudnn, ConvAlgorithm::cudnn_tf32, ConvAlgorithm::automatic});
}

TEST_CASE("conv2d: gradients") {
  for (const Conv2dProblem& problem : problems()) {
    if (problem.x_shape().numel() > 1500 || problem.weight_shape().numel() > 2000) continue;
    test::GradientCase gradient;
    gradient.name = "conv2d" + describe(problem);
    gradient.proves = {"conv2d_backward_data", "conv2d_backward_weight"};
    gradient.inputs = {{problem.x_shape()}, {problem.weight_shape()}};
    gradient.outputs = {{problem.y_shape()}};
    gradient.forward = [=](Stream& stream, Inputs in, Outputs out) {
      conv2d_forward(stream, problem, in[0], in[1], out[0]);
    };
    gradient.backward = [=](Stream& stream, Inputs in, Outputs, ConstView dy, Outputs gradients) {
      conv2d_backward_data(stream, problem, dy, in[1], gradients[0]);
      conv2d_backward_weight(stream, problem, dy, in[0], gradients[1]);
    };
    test::check_gradient(gradient);
  }
}

// Two groups of one tap: y's first two channels see x's first alone.
TEST_CASE("conv2d in groups by hand") {
  const Conv2dProblem problem = grouped(problem_of({1, 1, 1, 2}, 4, {1}, {1}, Padding::valid), 2);
  const float x[] = {2, 3}, w[] = {1, 10, 100, 1000};
  float y[4];
  Stream stream(Device::cpu);
  conv2d_forward(stream, problem, {x, problem.x_shape()}, {w, problem.weight_shape()}, {y, problem.y_shape()});
  CHECK(y[0] == 2);
  CHECK(y[1] == 20);
  CHECK(y[2] == 300);
  CHECK(y[3] == 3000);
  CHECK_THROWS_WITH_AS(conv2d_forward(stream, grouped(problem, 3), {x, problem.x_shape()}, {w, Shape{1, 1, 1, 4}},
                                      {y, problem.y_shape()}),
                       "conv2d_forward: 3 groups; expected a number that divides 2 channels in and 4 out", Error);
}

// The definition by hand: a 2 × 2 image, a 2 × 2 kernel, Keras's `same` (one row and column of zeros after).
TEST_CASE("conv2d by hand") {
  const Conv2dProblem problem = problem_of({1, 2, 2, 1}, 1, {2}, {2}, Padding::same);
  const float x[] = {1, 2, 3, 4}, w[] = {1, 10, 100, 1000};
  float y[4];
  Stream stream(Device::cpu);
  conv2d_forward(stream, problem, {x, problem.x_shape()}, {w, problem.weight_shape()}, {y, problem.y_shape()});
  CHECK(y[0] == 4321);
  CHECK(y[1] == 402);
  CHECK(y[2] == 43);
  CHECK(y[3] == 4);
}

TEST_CASE("conv2d gives the same bits for any number of threads") {
  const Conv2dProblem problem = problem_of({21, 40, 13, 6}, 20, {3}, {3}, Padding::same);
  std::vector<float> x(static_cast<std::size_t>(problem.x_shape().numel()));
  std::vector<float> w(static_cast<std::size_t>(problem.weight_shape().numel()));
  std::vector<float> dy(static_cast<std::size_t>(problem.y_shape().numel()));
  Generator random(5, Draw::test);
  for (auto* array : {&x, &w, &dy})
    for (float& value : *array) value = static_cast<float>(random.normal());
  std::vector<std::vector<float>> first;
  for (int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    Stream stream(Device::cpu, &pool);
    std::vector<float> y(dy.size()), dx(x.size()), dw(w.size());
    conv2d_forward(stream, problem, {x.data(), problem.x_shape()}, {w.data(), problem.weight_shape()},
                   {y.data(), problem.y_shape()});
    conv2d_backward_data(stream, problem, {dy.data(), problem.y_shape()}, {w.data(), problem.weight_shape()},
                         {dx.data(), problem.x_shape()});
    conv2d_backward_weight(stream, problem, {dy.data(), problem.y_shape()}, {x.data(), problem.x_shape()},
                           {dw.data(), problem.weight_shape()});
    const std::vector<std::vector<float>> results{y, dx, dw};
    if (first.empty()) first = results;
    for (std::size_t i = 0; i < results.size(); ++i)
      CHECK(std::memcmp(results[i].data(), first[i].data(), first[i].size() * sizeof(float)) == 0);
  }
}

TEST_CASE("conv2d: errors and cost") {
  float x[64] = {}, w[64] = {}, y[64];
  Stream stream(Device::cpu);
  const Conv2dProblem problem{1, 4, 4, 2, 3, {2}, {2}};
  CHECK_THROWS_WITH_AS(conv2d_forward(stream, problem, {x, {1, 4, 4, 2}}, {w, {2, 2, 2, 4}}, {y, {1, 3, 3, 3}}),
                       "conv2d_forward: weight is (2, 2, 2, 4), expected (2, 2, 2, 3)", Error);
  Conv2dProblem large = problem;
  large.rows = {5};
  CHECK_THROWS_WITH_AS(conv2d_forward(stream, large, {x, {1, 4, 4, 2}}, {w, {5, 2, 2, 3}}, {y, {1, 0, 3, 3}}),
                       "conv2d_forward: height of 4 is shorter than the window of 5", Error);
  CHECK_THROWS_WITH_AS(conv2d_forward(stream, problem, {x, {1, 4, 4, 2}}, {w, {2, 2, 2, 3}}, {y, {1, 3, 3, 3}},
                                      ConvAlgorithm::implicit_gemm),
                       "conv2d_forward: device cpu has no algorithm 'implicit_gemm'", Error);
  Conv2dProblem narrow = problem, strided = problem;
  narrow.columns = {1};
  strided.columns.stride = 2;
  CHECK_THROWS_WITH_AS(
      conv2d_forward(stream, narrow, {x, {1, 4, 4, 2}}, {w, {2, 1, 2, 3}}, {y, {1, 3, 4, 3}},
                     ConvAlgorithm::winograd_f6),
      "conv2d_forward: 'winograd_f6' does not compute 2x1 kernels with stride 1x1, dilation 1x1, 1 groups", Error);
  CHECK_THROWS_WITH_AS(
      conv2d_forward(stream, strided, {x, {1, 4, 4, 2}}, {w, {2, 2, 2, 3}}, {y, {1, 3, 2, 3}}, ConvAlgorithm::direct),
      "conv2d_forward: 'direct' does not compute 2x2 kernels with stride 1x2, dilation 1x1, 1 groups", Error);
  // What `automatic` is: of 3 columns from 16 channels on, of 2 from 32, in rows of a tile; where it is not, direct.
  const auto automatic = [](int64_t width, int64_t c, int64_t o, int64_t kernel) {
    return conv2d_automatic(Device::cpu, {32, 8, width, c, o, {kernel}, {kernel}});
  };
  CHECK(automatic(9, 16, 16, 3) == ConvAlgorithm::winograd_f4);  // rows of 7: two tiles either way
  CHECK(automatic(20, 16, 16, 3) == ConvAlgorithm::winograd_f6);
  CHECK(automatic(20, 16, 15, 3) == ConvAlgorithm::direct);
  CHECK(automatic(7, 16, 16, 3) == ConvAlgorithm::direct);
  CHECK(automatic(45, 32, 64, 2) == ConvAlgorithm::winograd_f4);
  CHECK(automatic(50, 32, 64, 2) == ConvAlgorithm::winograd_f6);
  CHECK(automatic(45, 16, 64, 2) == ConvAlgorithm::direct);
  CHECK(automatic(8, 256, 256, 4) == ConvAlgorithm::im2col);
  CHECK(conv2d_automatic(Device::cpu, strided) == ConvAlgorithm::im2col);
  CHECK(conv2d_automatic(Device::cpu, problem) == ConvAlgorithm::im2col);  // few flops
  CHECK_THROWS_WITH_AS(
      conv2d_forward(stream, problem, {x, {1, 4, 4, 2}, DType::f32, Device::simt},
                     {w, {2, 2, 2, 3}, DType::f32, Device::simt}, {y, {1, 3, 3, 3}, DType::f32, Device::simt},
                     ConvAlgorithm::strided_gemm),
      "conv2d_forward: 'strided_gemm' does not compute 2x2 kernels with stride 1x1, dilation 1x1, 1 groups", Error);
  CHECK(conv2d_cost(problem, 4) == Cost{2 * 27 * 8, (32 + 24 + 27) * 4});
}

}  // namespace
}  // namespace melgrad
