// NumPy's .npy files, versions 1 to 3: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
//
// Little-endian, C order. float32, float64, int32 and uint8 read as they are; int64 and bool, which NumPy likes for
// labels and masks, read as i32 (a value out of range is an error) and u8. A header that lies is an error: nothing is
// allocated that the file does not hold.
#pragma once

#include <filesystem>
#include <span>

#include "tensor/io/atomic_file.h"
#include "tensor/tensor.h"

namespace melgrad {

Tensor load_npy(const std::filesystem::path& path);
void save_npy(const std::filesystem::path& path, const Tensor& tensor);

// A float32 array of rows that come piece by piece; how many is known at the end. Written atomically.
class NpyRowWriter {
 public:
  NpyRowWriter(const std::filesystem::path& path, int64_t columns);
  void append(std::span<const float> rows);  // whole rows
  void commit();                             // without it nothing is left

 private:
  std::string header() const;

  AtomicFile file_;
  int64_t columns_, rows_ = 0;
};

// The same on bytes; `name` stands in errors.
Tensor parse_npy(std::string_view bytes, const std::string& name);

}  // namespace melgrad
