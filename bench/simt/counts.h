// melgrad-bench --device simt: what the CUDA kernels do, counted by the simt engine, and what GPUs would make of it at
// best, estimated.
#pragma once

#include <string>
#include <vector>

namespace melgrad::bench {

// `simt [--filter REGEX] [--divergence]`: operations and lessons whose names match the regular expression. --divergence
// counts branches too: exact where lanes part ways, and many times slower. The exit status, with a line on stderr unless 0.
int counts_command(const std::vector<std::string>& arguments);

}  // namespace melgrad::bench
