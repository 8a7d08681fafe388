// The memory that a call into a library is given: checked to be the device's, to lie within one array, and not to be
// written where it is also read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/simt/libraries/cuda_types.h"

namespace melgrad::simt {

class Operands {
 public:
  // `call` names the function in errors; `stream` is where it would run.
  Operands(std::string_view call, cudaStream_t stream);

  // Bytes first … last - 1 beyond `data` are read, or written (and perhaps read before, by a factor beta).
  void read(std::string_view name, const void* data, int64_t first, int64_t last);
  void write(std::string_view name, void* data, int64_t first, int64_t last);
  // A workspace: its contents are lost, so they become NaN. It may be empty.
  void scratch(std::string_view name, void* data, int64_t bytes);
  // A number that the call reads on the host.
  void host(std::string_view name, const void* data) const;
  void aligned(std::string_view name, const void* data, int64_t alignment) const;

 private:
  struct Range {
    std::string name;
    const std::byte* begin;
    const std::byte* end;
    bool written;
  };
  void add(std::string_view name, const void* data, int64_t first, int64_t last, bool written);

  std::string call_;
  std::vector<Range> ranges_;
};

}  // namespace melgrad::simt
