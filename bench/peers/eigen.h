// The matrix product of Eigen, a peer: built for the machine that builds it, with OpenMP.
#pragma once

#include "kernels/matmul.h"

namespace melgrad::bench {

// As `matmul`, f32 on the CPU, with as many threads as melgrad's thread pool has.
void eigen_matmul(const MatmulProblem& problem, ConstView a, ConstView b, View c);

}  // namespace melgrad::bench
