#include "kernels/cuda/library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

namespace melgrad::cuda {
namespace {

namespace fs = std::filesystem;

// site-packages/nvidia/*/lib of the active Python environment.
void add_python_folders(std::vector<fs::path>& folders) {
  const char* environment = std::getenv("VIRTUAL_ENV");
  if (environment == nullptr) return;
  std::error_code error;
  for (const auto& python : fs::directory_iterator(fs::path(environment) / "lib", error)) {
    std::error_code none;
    for (const auto& package : fs::directory_iterator(python.path() / "site-packages" / "nvidia", none))
      folders.push_back(package.path() / "lib");
  }
}

std::vector<fs::path> library_folders() {
  std::vector<fs::path> folders;
  for (const char* variable : {"CUDA_HOME", "CUDA_PATH"})
    if (const char* root = std::getenv(variable)) folders.push_back(fs::path(root) / "lib64");
  folders.emplace_back("/usr/local/cuda/lib64");
  add_python_folders(folders);
  return folders;
}

}  // namespace

Library::Library(const char* title, const char* file)
    : title_(title), file_(file), handle_(dlopen(file, RTLD_NOW | RTLD_LOCAL)) {
  for (const fs::path& folder : library_folders()) {
    if (handle_ != nullptr) return;
    std::error_code error;
    const fs::path path = folder / file;
    if (fs::exists(path, error)) handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  }
}

void* Library::find(const char* symbol) const {
  require(handle_ != nullptr, "cuda: {} is not there ({}): install it, or name its folder in LD_LIBRARY_PATH", title_,
          file_);
  void* address = dlsym(handle_, symbol);
  require(address != nullptr, "cuda: {}: {} has no {}", title_, file_, symbol);
  return address;
}

}  // namespace melgrad::cuda
