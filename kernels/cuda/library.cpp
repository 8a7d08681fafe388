#include "kernels/cuda/library.h"

#include <dlfcn.h>
#include <link.h>

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

Library::Library(const LibraryFile& file)
    : file_(file),
      reason_(fmt::format("{} is not there: install it, or name its folder in LD_LIBRARY_PATH", file.file)) {
  open(file.file);
  for (const fs::path& folder : library_folders()) {
    std::error_code error;
    const fs::path path = folder / file.file;
    if (handle_ == nullptr && fs::exists(path, error)) open(path.c_str());
  }
}

void Library::open(const char* path) {
  handle_ = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (handle_ != nullptr) return;
  // It may be there, but broken, or lack what it calls itself.
  const std::string problem = dlerror();
  if (!problem.starts_with(std::string(file_.file) + ": cannot open")) reason_ = "it cannot be loaded: " + problem;
}

LibraryStatus Library::status() const {
  link_map* map = nullptr;
  if (handle_ == nullptr || dlinfo(handle_, RTLD_DI_LINKMAP, &map) != 0) return {file_.title, "", reason_};
  return {file_.title, map->l_name, ""};
}

void* Library::find(const char* symbol) const {
  require(handle_ != nullptr, "cuda: {}: {}", file_.title, reason_);
  void* address = dlsym(handle_, symbol);
  require(address != nullptr, "cuda: {}: {} has no {}", file_.title, file_.file, symbol);
  return address;
}

}  // namespace melgrad::cuda

extern "C" __attribute__((visibility("default"))) void melgrad_cuda_libraries(
    std::vector<melgrad::LibraryStatus>& all) {
  using namespace melgrad;
  for (const LibraryFile& file : {cublas_file, cudnn_file, cufft_file}) all.push_back(cuda::Library(file).status());
}
