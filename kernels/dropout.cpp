#include "kernels/dropout.h"

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const DropoutFunctions dropout_functions;
}
namespace simt {
extern const DropoutFunctions dropout_functions;
}

namespace {

const DropoutFunctions& functions(Device device) {
  return functions_for("dropout", device, &cpu::dropout_functions, &simt::dropout_functions);
}

}  // namespace

void dropout(Stream& stream, double rate, const Philox& random, ConstView x, View y) {
  expect_alike("dropout", x, y);
  require(rate >= 0 && rate < 1, "dropout: rate is {}, expected 0 <= rate < 1", rate);
  expect_shape("dropout", "y", y, x.shape);
  functions(x.device).run(stream, rate, random, x, y);
}

}  // namespace melgrad
