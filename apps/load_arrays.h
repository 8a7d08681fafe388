// The `arrays` reader: features made elsewhere, as .npy files.
#pragma once

#include <filesystem>

#include "apps/load_data.h"

namespace melgrad {

// DIR/{train,valid,test}_{x,y}.npy: x float32 (samples, …); y integers (samples) or float (samples, outputs). Only the
// training pair must be there, and to evaluate any one. A sample is a clip of one segment. Throws Error naming the file.
LoadedData load_arrays(const std::filesystem::path& folder, Purpose purpose);

}  // namespace melgrad
