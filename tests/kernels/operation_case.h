// One description of an operation's problem: what tests check and benches time.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "kernels/philox.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad::test {

using Inputs = std::span<const ConstView>;
using Outputs = std::span<const View>;

// How an input is filled. `integers` is set in the run that expects exact equality.
using FillFunction = std::function<double(Generator&, bool integers)>;
FillFunction normal_values();                // standard normal; integers -4 … 4
FillFunction positive_values();              // 0.1 … 2; integers 1 … 4
FillFunction label_values(int64_t classes);  // 0 … classes - 1

struct InputSpec {
  Shape shape;
  FillFunction fill = normal_values();
  bool is_index = false;  // i32, instead of the run's floating-point type
};

struct OutputSpec {
  Shape shape;
  DType dtype = DType::f32;  // f32 stands for the run's floating-point type
};

struct OperationCase {
  std::string name;       // the contract's function, then what is particular about this case
  std::string algorithm;  // where there are several
  std::vector<InputSpec> inputs;
  std::vector<OutputSpec> outputs;
  // The operation as its contract offers it, on views of the stream's device.
  std::function<void(Stream&, Inputs, Outputs)> run;
  // The same in f64 on the CPU.
  std::function<void(Inputs, Outputs)> reference;
  std::vector<Device> devices = {Device::cpu, Device::simt};

  // |result - reference| <= min(reduction_length, 64) · eps · magnitude + eps · |reference|, where magnitude is the
  // reference of the absolute inputs (right for what is linear in each input: sums of products). An operation of
  // another kind gives its own magnitude, element by element, from the inputs.
  int64_t reduction_length = 1;
  std::function<void(Inputs, Outputs)> magnitude;

  // Sums of products of small integers are exact in f32, in any order.
  bool exact_on_integers = false;
};

}  // namespace melgrad::test
