// Matrix products: the reference, two kernels, the project's two, their check. docs/kernels/matmul.md tells what they show.
#include "docs/kernels/lesson.h"
#include "kernels/conv2d.h"
#include "kernels/matmul.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int side = 16;  // of the tile of c that a block of 16 × 16 threads computes, an element each

// c (m, n) = a (m, k) × b (k, n).
Numbers matmul_reference(const Numbers& a, const Numbers& b, int64_t m, int64_t n, int64_t k) {
  Numbers c(static_cast<std::size_t>(m * n));
  for (int64_t row = 0; row < m; ++row)
    for (int64_t column = 0; column < n; ++column) {
      double sum = 0;
      for (int64_t step = 0; step < k; ++step)
        sum += double(a[static_cast<std::size_t>(row * k + step)]) * b[static_cast<std::size_t>(step * n + column)];
      c[static_cast<std::size_t>(row * n + column)] = static_cast<float>(sum);
    }
  return c;
}

__global__ void __launch_bounds__(side* side) matmul_naive_kernel(Global<const float> a, Global<const float> b,
                                                                  Global<float> c, int64_t m, int64_t n, int64_t k) {
  const int64_t row = int64_t{blockIdx.y} * side + threadIdx.y, column = int64_t{blockIdx.x} * side + threadIdx.x;
  if (row >= m || column >= n) return;
  float sum = 0.0f;
  for (int64_t step = 0; step < k; ++step) {
    const float left = a[row * k + step];
    const float right = b[step * n + column];
    sum += left * right;
  }
  c[row * n + column] = sum;
}

__global__ void __launch_bounds__(side* side) matmul_tiled_kernel(Global<const float> a, Global<const float> b,
                                                                  Global<float> c, int64_t m, int64_t n, int64_t k) {
  __shared__ SharedArray<float, side, side> a_tile;
  __shared__ SharedArray<float, side, side> b_tile;
  const unsigned y = threadIdx.y, x = threadIdx.x;
  const int64_t row = int64_t{blockIdx.y} * side + y, column = int64_t{blockIdx.x} * side + x;
  float sum = 0.0f;
  for (int64_t first = 0; first < k; first += side) {
    a_tile[y][x] = row < m && first + x < k ? float(a[row * k + first + x]) : 0.0f;
    b_tile[y][x] = first + y < k && column < n ? float(b[(first + y) * n + column]) : 0.0f;
    __syncthreads();
    for (unsigned step = 0; step < side; ++step) {
      const float left = a_tile[y][step];
      const float right = b_tile[step][x];
      sum += left * right;
    }
    __syncthreads();
  }
  if (row < m && column < n) c[row * n + column] = sum;
}

struct Product {
  int64_t m, n, k;
  Numbers left = some_numbers(m * k, 4), right = some_numbers(k * n, 5);
  Array a{{m, k}, left}, b{{k, n}, right}, c{{m, n}};
  Cost cost = matmul_cost({.m = m, .n = n, .k = k}, 4);

  template <class Run>
  void show(Lesson& lesson, const std::string& name, const Run& run) const {
    lesson.heading(name);
    lesson.measure(run, cost);
    lesson.check(name, c, matmul_reference(left, right, m, n, k));
  }
};

template <auto kernel>
void show(Lesson& lesson, const std::string& name, const Product& p) {
  p.show(lesson, name, [&](Stream& stream) {
    launch<kernel>(dim3(blocks_for(p.n, side), blocks_for(p.m, side)), dim3(side, side), 0, stream,
                   global<const float>(p.a.view), global<const float>(p.b.view), global<float>(p.c.view), p.m, p.n,
                   p.k);
  });
}

}  // namespace

void matmul_lesson(Lesson& lesson) {
  const Product product{64, 64, 64}, odd{20, 33, 7};
  show<matmul_naive_kernel>(lesson, "naive", product);
  show<matmul_tiled_kernel>(lesson, "tiled", product);
  product.show(lesson, "the project's", [&](Stream& stream) {
    matmul(stream, {.m = product.m, .n = product.n, .k = product.k}, product.a.view, product.b.view, product.c.view);
  });
  // A convolution of width 1 is a product: pixels are rows. Whole numbers this small are exact in bf16.
  product.show(lesson, "on tensor cores", [&](Stream& stream) {
    const Conv2dProblem problem{.h = product.m, .c = product.k, .o = product.n, .rows = {}, .columns = {}};
    const auto as = [](const Array& array, const Shape& shape) {
      return View{array.view.data, shape, DType::f32, lesson_device};
    };
    conv2d_forward(stream, problem, as(product.a, problem.x_shape()), as(product.b, problem.weight_shape()),
                   as(product.c, problem.y_shape()), ConvAlgorithm::tensor_core);
  });
  show<matmul_tiled_kernel>(lesson, "tiled, sizes that are no multiple of the tile's", odd);
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
