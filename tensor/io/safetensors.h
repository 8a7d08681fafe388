// .safetensors files: named tensors and text, as published at https://github.com/huggingface/safetensors (format).
//
// Eight bytes of header length, a JSON header {"name": {"dtype", "shape", "data_offsets"}, "__metadata__": {…}}, then
// the data. A header that lies (a length past the file, offsets out of range or overlapping, a shape that does not fit
// its bytes) is an error: nothing is allocated that the file does not hold.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "tensor/tensor.h"

namespace melgrad {

struct TensorFile {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

TensorFile load_safetensors(const std::filesystem::path& path);
// Written atomically; equal contents give equal bytes.
void save_safetensors(const std::filesystem::path& path, const TensorFile& file);

// The same on bytes; `name` stands in errors.
TensorFile parse_safetensors(std::string_view bytes, const std::string& name);
std::string format_safetensors(const TensorFile& file);

}  // namespace melgrad
