#include "apps/load_arrays.h"

#include <algorithm>
#include <numeric>

#include "tensor/io/npy.h"

namespace melgrad {
namespace {

// The numbers of a float32 or float64 array.
std::vector<float> floats_of(const Tensor& array) {
  if (array.dtype() == DType::f32) return {array.data<float>().begin(), array.data<float>().end()};
  std::vector<float> values;
  for (double value : array.data<double>()) values.push_back(static_cast<float>(value));
  return values;
}

std::vector<int32_t> labels_of(const Tensor& array, const std::string& file) {
  std::vector<int32_t> labels;
  if (array.dtype() == DType::u8) {
    labels.assign(array.data<uint8_t>().begin(), array.data<uint8_t>().end());
  } else {
    labels.assign(array.data<int32_t>().begin(), array.data<int32_t>().end());
  }
  for (int32_t label : labels) require(label >= 0, "{}: label {} is negative", file, label);
  return labels;
}

bool is_float(const Tensor& array) {
  return array.dtype() == DType::f32 || array.dtype() == DType::f64;
}

Samples load_split(const std::filesystem::path& folder, const std::string& split) {
  const auto x_path = folder / (split + "_x.npy"), y_path = folder / (split + "_y.npy");
  const Tensor x = load_npy(x_path), y = load_npy(y_path);
  const std::string x_file = x_path.string(), y_file = y_path.string();
  if (!is_float(x) || x.shape().rank() < 2)
    fail("{}: {} {}, expected floats (samples, …)", x_file, name_of(x.dtype()), x.shape().to_string());
  const int64_t n = x.shape()[0];
  const bool hard = !is_float(y);
  if (y.shape().rank() != (hard ? 1 : 2) || y.shape()[0] != n)
    fail("{}: {} {}, expected integers ({}) or floats ({}, outputs)", y_file, name_of(y.dtype()), y.shape().to_string(),
         n, n);
  Samples samples{.input = x.shape().without_batch(), .inputs = floats_of(x), .clips = n};
  if (hard) {
    samples.labels = labels_of(y, y_file);
  } else {
    samples.targets = floats_of(y);
    samples.outputs = y.shape()[1];
  }
  samples.clip.resize(static_cast<std::size_t>(n));
  std::iota(samples.clip.begin(), samples.clip.end(), 0);
  return samples;
}

bool is_there(const std::filesystem::path& folder, const std::string& split) {
  return std::filesystem::exists(folder / (split + "_x.npy"));
}

}  // namespace

LoadedData load_arrays(const std::filesystem::path& folder, Purpose purpose) {
  const bool some = purpose == Purpose::evaluation && (is_there(folder, "valid") || is_there(folder, "test"));
  require(some || is_there(folder, "train"),
          "{}: no train_x.npy; data.reader = arrays expects {{train,valid,test}}_{{x,y}}.npy", folder.string());
  LoadedData data{.train = {},
                  .valid = {},
                  .test = {},
                  .labels = {},
                  .multi_label = false,
                  .skipped = {},
                  .protocol = "arrays: as the files say"};
  const Samples* first = nullptr;
  for (const auto& [split, samples] : {std::pair{"train", &data.train}, {"valid", &data.valid}, {"test", &data.test}}) {
    if (!is_there(folder, split)) continue;
    *samples = load_split(folder, split);
    if (first == nullptr) first = samples;
    if (samples->input != first->input || samples->outputs != first->outputs)
      fail("{}: {}_x.npy or {}_y.npy has another shape than the arrays of another split", folder.string(), split,
           split);
  }
  for (Samples* samples : {&data.train, &data.valid, &data.test}) {
    samples->input = first->input;
    samples->outputs = first->outputs;
  }
  int64_t classes = first->outputs;
  for (const Samples* samples : {&data.train, &data.valid, &data.test})
    for (int32_t label : samples->labels) classes = std::max<int64_t>(classes, label + 1);
  for (int64_t c = 0; c < classes; ++c) data.labels.push_back(std::to_string(c));
  return data;
}

}  // namespace melgrad
