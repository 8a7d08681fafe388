#include "kernels/band_scaling.h"

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const BandScalingFunctions band_scaling_functions;
}
namespace simt {
extern const BandScalingFunctions band_scaling_functions;
}

namespace {

const BandScalingFunctions& functions(Device device) {
  return functions_for("band_scaling", device, &cpu::band_scaling_functions, &simt::band_scaling_functions);
}

}  // namespace

void limit_bands(Stream& stream, bool relative, double range, ConstView largest, View y) {
  expect_alike("limit_bands", y, largest);
  require(y.shape.rank() >= 1, "limit_bands: y is a scalar, expected (signals, …)");
  require(range >= 0, "limit_bands: range is {}, expected at least 0", range);
  expect_shape("limit_bands", "largest", largest, {y.shape[0]});
  if (y.numel() > 0) functions(y.device).limit(stream, relative, range, largest, y);
}

void scale_rows(Stream& stream, ConstView x, View y) {
  expect_alike("scale_rows", y, x);
  require(y.shape.rank() == 2, "scale_rows: y is {}, expected (rows, columns)", y.shape.to_string());
  expect_shape("scale_rows", "x", x, y.shape);
  if (y.numel() > 0) functions(y.device).rows(stream, x, y);
}

}  // namespace melgrad
