// What the cuda device finds of the libraries that it calls: cuBLAS, cuDNN, cuFFT.
#pragma once

#include <string>
#include <vector>

namespace melgrad {

struct LibraryStatus {
  std::string name;
  std::string path;    // the file that was opened; empty if none could be
  std::string reason;  // one line: why there is none; empty if there is
};

// Opens them, which takes a while. Empty where there is no CUDA module, which would call them.
std::vector<LibraryStatus> cuda_libraries();

}  // namespace melgrad
