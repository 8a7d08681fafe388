#include "models/interchange/keras_file.h"

#include <hdf5.h>

#include <algorithm>
#include <cstring>
#include <functional>

namespace melgrad {
namespace {

// An HDF5 identifier that is closed at the end of its scope.
class Handle {
 public:
  Handle(hid_t id, std::function<herr_t(hid_t)> close, const std::string& what) : id_(id), close_(std::move(close)) {
    require(id_ >= 0, "{}: cannot be read from the HDF5 file", what);
  }
  ~Handle() { close_(id_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  std::function<herr_t(hid_t)> close_;
};

// The library prints its own stack of errors unless told not to.
struct QuietErrors {
  QuietErrors() {
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~QuietErrors() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

int64_t element_count(hid_t space) {
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  require(count >= 0 && count < (hssize_t{1} << 20), "an attribute of {} elements", count);
  return count;
}

// An attribute of strings, of fixed or variable length.
std::vector<std::string> read_strings(hid_t object, const std::string& name) {
  const Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose, "attribute " + name);
  const Handle type(H5Aget_type(attribute), H5Tclose, name), space(H5Aget_space(attribute), H5Sclose, name);
  require(H5Tget_class(type) == H5T_STRING || H5Sget_simple_extent_npoints(space) == 0, "attribute {}: not of strings",
          name);
  const auto count = static_cast<std::size_t>(element_count(space));
  std::vector<std::string> strings;
  if (count == 0) return strings;
  if (H5Tis_variable_str(type) > 0) {
    std::vector<char*> pointers(count, nullptr);
    const Handle memory(H5Tcopy(type), H5Tclose, name);
    require(H5Aread(attribute, memory, pointers.data()) >= 0, "attribute {}: cannot be read", name);
    for (const char* pointer : pointers) strings.emplace_back(pointer == nullptr ? "" : pointer);
    H5Dvlen_reclaim(memory, space, H5P_DEFAULT, pointers.data());
    return strings;
  }
  const std::size_t size = H5Tget_size(type);
  require(size > 0 && size < (1 << 20), "attribute {}: strings of {} bytes", name, size);
  std::string bytes(count * size, '\0');
  require(H5Aread(attribute, type, bytes.data()) >= 0, "attribute {}: cannot be read", name);
  for (std::size_t i = 0; i < count; ++i) {
    const char* begin = bytes.data() + i * size;
    strings.emplace_back(begin, std::find(begin, begin + size, '\0'));
  }
  return strings;
}

// The attribute, or its pieces where it was too long for one.
std::vector<std::string> read_string_list(hid_t object, const std::string& name) {
  if (H5Aexists(object, name.c_str()) > 0) return read_strings(object, name);
  std::vector<std::string> all;
  for (int piece = 0; H5Aexists(object, (name + std::to_string(piece)).c_str()) > 0; ++piece)
    for (std::string& text : read_strings(object, name + std::to_string(piece))) all.push_back(std::move(text));
  return all;
}

bool has_list(hid_t object, const std::string& name) {
  return H5Aexists(object, name.c_str()) > 0 || H5Aexists(object, (name + "0").c_str()) > 0;
}

Tensor read_dataset(hid_t group, const std::string& name) {
  const Handle dataset(H5Dopen2(group, name.c_str(), H5P_DEFAULT), H5Dclose, "dataset " + name);
  const Handle space(H5Dget_space(dataset), H5Sclose, name), type(H5Dget_type(dataset), H5Tclose, name);
  require(H5Tget_class(type) == H5T_FLOAT, "dataset {}: not of floating-point numbers", name);
  const int rank = H5Sget_simple_extent_ndims(space);
  require(rank >= 0 && rank <= 4, "dataset {}: {} axes, expected at most 4", name, rank);
  std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
  H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
  Shape shape;
  for (hsize_t size : sizes) {
    require(size > 0 && size <= (hsize_t{1} << 31), "dataset {}: an axis of {}", name, size);
    shape.append(static_cast<int64_t>(size));
  }
  require(shape.numel() <= (int64_t{1} << 31), "dataset {}: {} elements", name, shape.numel());
  Tensor values = Tensor::empty(shape);
  require(H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.mutable_data<float>().data()) >= 0,
          "dataset {}: cannot be read", name);
  return values;
}

std::vector<KerasLayer> read_layers(hid_t root) {
  std::vector<KerasLayer> layers;
  for (const std::string& name : read_string_list(root, "layer_names")) {
    const Handle group(H5Gopen2(root, name.c_str(), H5P_DEFAULT), H5Gclose, "layer " + name);
    KerasLayer layer{name, {}};
    for (const std::string& weight : read_string_list(group, "weight_names"))
      layer.weights.push_back({weight, read_dataset(group, weight)});
    if (!layer.weights.empty()) layers.push_back(std::move(layer));
  }
  return layers;
}

std::vector<KerasLayer> read_file(hid_t file) {
  const Handle root(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose, "the root group");
  if (has_list(root, "layer_names")) return read_layers(root);
  if (H5Lexists(root, "model_weights", H5P_DEFAULT) > 0) {
    const Handle weights(H5Gopen2(root, "model_weights", H5P_DEFAULT), H5Gclose, "group model_weights");
    if (has_list(weights, "layer_names")) return read_layers(weights);
  }
  require(H5Lexists(root, "layers", H5P_DEFAULT) <= 0,
          "is a .weights.h5 file of Keras 3; save the weights in the older .h5 format");
  fail("has no attribute layer_names: not a file of Keras weights");
}

}  // namespace

std::vector<KerasLayer> read_keras_file(const std::filesystem::path& path) {
  require(std::filesystem::exists(path), "{}: no such file", path.string());
  const QuietErrors quiet;
  const hid_t id = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  require(id >= 0, "{}: not an HDF5 file, or a damaged one", path.string());
  const Handle file(id, H5Fclose, path.string());
  try {
    std::vector<KerasLayer> layers = read_file(file);
    require(!layers.empty(), "no layer has weights");
    return layers;
  } catch (const Error& error) {
    fail("{}: {}", path.string(), error.what());
  }
}

}  // namespace melgrad
