#include "kernels/simt/pointer.h"

#include "kernels/error.h"

namespace melgrad::simt {
namespace {

const char* name(Space space) {
  return space == Space::global ? "global" : "shared";
}

}  // namespace

void report_out_of_bounds(Space space, int64_t index, int64_t size, const std::source_location& where) {
  fault(fmt::format("element {} of a {} array that has {}", index, name(space), size), where);
}

void report_misaligned(Space space, int64_t index, int64_t alignment, const std::source_location& where) {
  fault(fmt::format("element {} of a {} array is not aligned to {} bytes", index, name(space), alignment), where);
}

}  // namespace melgrad::simt
