// Matrix product on the CPU: `blocked` is kernels/cpu/gemm.h, `direct` the definition.
#include "kernels/reference/matmul.h"
#include "kernels/cpu/gemm.h"

namespace melgrad::cpu {
namespace {

// Rows and panels of c a task: tens of microseconds of work.
constexpr int64_t rows_per_task = 96;
constexpr int64_t panels_per_task = 8;

void blocked(Stream& stream, const MatmulProblem& p, ConstView a, ConstView b, View c) {
  const Strided left{a.as<float>(), p.transpose_a ? 1 : p.k, p.transpose_a ? p.m : 1};
  const Strided right{b.as<float>(), p.transpose_b ? 1 : p.n, p.transpose_b ? p.k : 1};
  const Buffer scratch = stream.workspace(packed_size(p.k, p.n) * static_cast<int64_t>(sizeof(float)));
  float* packed = static_cast<float*>(scratch.data());
  parallel_for(stream.threads(), panels(p.n), panels_per_task,
               [&](int64_t first, int64_t last) { pack_panels(right, p.k, p.n, first, last, packed); });

  const int64_t row_tasks = (p.m + rows_per_task - 1) / rows_per_task;
  const int64_t panel_tasks = (panels(p.n) + panels_per_task - 1) / panels_per_task;
  stream.threads().run(row_tasks * panel_tasks, [&](int64_t task) {
    const int64_t row = task / panel_tasks * rows_per_task, panel = task % panel_tasks * panels_per_task;
    const PackedProduct part{.m = std::min(rows_per_task, p.m - row),
                             .n = p.n,
                             .k = p.k,
                             .a = {left.data + row * left.row_stride, left.row_stride, left.column_stride},
                             .packed_b = packed,
                             .c = c.as<float>() + row * p.n,
                             .c_stride = p.n};
    multiply_packed(part, panel, std::min(panel + panels_per_task, panels(p.n)));
  });
}

constexpr MatmulAlgorithm algorithms[] = {MatmulAlgorithm::direct, MatmulAlgorithm::blocked};

void run(Stream& stream, const MatmulProblem& problem, ConstView a, ConstView b, View c, MatmulAlgorithm algorithm) {
  if (a.dtype == DType::f64) return reference::matmul<double>(problem, a, b, c);
  if (algorithm == MatmulAlgorithm::direct) return reference::matmul<float>(problem, a, b, c);
  blocked(stream, problem, a, b, c);  // automatic: always faster than direct
}

}  // namespace

extern const MatmulFunctions matmul_functions;
const MatmulFunctions matmul_functions{algorithms, run};

}  // namespace melgrad::cpu
