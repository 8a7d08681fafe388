// In place of keras_file.cpp where the build has no HDF5 (./run bundle).
#include "models/interchange/keras_file.h"

namespace melgrad {

std::vector<KerasLayer> read_keras_file(const std::filesystem::path& path) {
  fail("{}: a bundle cannot read Keras's .h5 files; convert it with melgrad as ./run melgrad builds it",
       path.string());
}

}  // namespace melgrad
