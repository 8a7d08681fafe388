#include "kernels/simt/pointer.h"

#include "kernels/error.h"
#include "kernels/simt/block_runner.h"

namespace melgrad::simt {

void report_out_of_bounds(const void* begin, int64_t index, int64_t size, const std::source_location& where) {
  fault(fmt::format("element {} of {}, which has {}", index, BlockRunner::current().array_of(begin), size), where);
}

void report_misaligned(const void* begin, int64_t index, int64_t alignment, const std::source_location& where) {
  fault(fmt::format("element {} of {} is not aligned to {} bytes", index, BlockRunner::current().array_of(begin),
                    alignment),
        where);
}

}  // namespace melgrad::simt
