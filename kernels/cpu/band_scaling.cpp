// On the CPU these are the loops of the reference: what a frontend does there in place is in audio/frontend.cpp.
#include "kernels/reference/band_scaling.h"

namespace melgrad::cpu {
namespace {

void limit(Stream&, bool relative, double range, ConstView largest, View y) {
  y.dtype == DType::f64 ? reference::limit_bands<double>(relative, range, largest, y)
                        : reference::limit_bands<float>(relative, range, largest, y);
}

void scale_rows(Stream&, ConstView x, View y) {
  y.dtype == DType::f64 ? reference::scale_rows<double>(x, y) : reference::scale_rows<float>(x, y);
}

}  // namespace

extern const BandScalingFunctions band_scaling_functions;
const BandScalingFunctions band_scaling_functions{limit, scale_rows};

}  // namespace melgrad::cpu
