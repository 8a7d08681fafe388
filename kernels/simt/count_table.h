// Counts as text: a table of a kernel's lines.
#pragma once

#include <string>

#include "kernels/simt/recording.h"

namespace melgrad::simt {

struct TableOptions {
  bool places = true;       // "gemm.h:103" before each line
  std::string code_folder;  // the sources' root: each line of code behind its counts; none if empty
};

//   matmul_kernel: 4 blocks of 256 threads, 3 barriers and 17408 bytes of shared memory a block
//     512 sectors loaded, 0 stored; 128 wavefronts, 0 of them bank conflicts
//     place      access        requests  lanes  sectors  useful  wavefronts  conflicts
//     gemm.h:47  global load        128   32.0      512  100.0 %
//     gemm.h:92  shared store       128   32.0                           128          0
//
// lanes: that take part in a request, on average. useful: of the bytes of the sectors, those that were asked for.
// Ends in a newline.
std::string to_table(const KernelCounts& kernel, const TableOptions& options = {});

}  // namespace melgrad::simt
