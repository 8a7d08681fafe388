// What a bench has left as JSON: Google Benchmark's (melgrad-bench --benchmark_out=F.json), or that of a script of
// bench/peers.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace melgrad::bench {

struct Results {
  std::string machine;                               // the processor and the threads, as far as the file says
  std::map<std::string, std::vector<double>> times;  // by the bench's name: milliseconds of each repetition or round
};

// Of a peers' file melgrad's own times, as models/<model>/<pass>/batch:<n>. Means and medians that Google Benchmark adds
// are left out. Throws Error naming the file where it is neither.
Results load_results(const std::filesystem::path& path);

}  // namespace melgrad::bench
