// Calls of NVIDIA's libraries. A file that makes them is compiled twice, like a kernel:
//
//            headers                     namespace       a function is found
//   cuda     NVIDIA's                    melgrad::cuda   when it is first called, in a library opened then
//   simt     kernels/simt/libraries/     melgrad::simt   at link time: a stand-in
//
// so the CUDA module starts where a library is missing, and says which when it is asked for. On simt the calls are proved
// consistent with the libraries' documentation, nothing more.
//
//   MELGRAD_LIBRARY(cublas)
//   MELGRAD_CALL(cublas, cublasSgemm)(handle, …)
#pragma once

#include "kernels/libraries.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

struct LibraryFile {
  const char* title;
  const char* file;
};
inline constexpr LibraryFile cublas_file{"cuBLAS", "libcublas.so.13"};
inline constexpr LibraryFile cudnn_file{"cuDNN", "libcudnn.so.9"};
inline constexpr LibraryFile cufft_file{"cuFFT", "libcufft.so.12"};

}  // namespace melgrad

#if defined(MELGRAD_CUDA_MODULE)

#include "kernels/cuda/stream.h"

#define MELGRAD_DEVICE_NAMESPACE cuda

namespace melgrad::cuda {

// A shared library, opened at the first call: where the loader looks, then in CUDA's folders and those of the Python
// environment that is active ($VIRTUAL_ENV), where NVIDIA's wheels put theirs.
class Library {
 public:
  explicit Library(const LibraryFile& file);
  bool is_there() const { return handle_ != nullptr; }
  LibraryStatus status() const;
  void* find(const char* symbol) const;  // throws Error if there is no library, or no such symbol in it

 private:
  void open(const char* path);

  LibraryFile file_;
  void* handle_ = nullptr;
  std::string reason_;
};

}  // namespace melgrad::cuda

#define MELGRAD_LIBRARY(library)                 \
  inline const Library& library() {              \
    static const Library opened(library##_file); \
    return opened;                               \
  }
// A header may give a function another name by a macro (cublasSgemm is cublasSgemm_v2): it must be expanded first.
#define MELGRAD_CALL(library, function) MELGRAD_CALL_EXPANDED(library, function)
#define MELGRAD_CALL_EXPANDED(library, function)                                                  \
  ([]() -> decltype(&function) {                                                                  \
    static const auto address = reinterpret_cast<decltype(&function)>(library().find(#function)); \
    return address;                                                                               \
  }())

#else

#include "kernels/simt/libraries/cuda_types.h"

#define MELGRAD_DEVICE_NAMESPACE simt

namespace melgrad::simt {

struct Library {
  bool is_there() const { return true; }
};

}  // namespace melgrad::simt

#define MELGRAD_LIBRARY(library)    \
  inline const Library& library() { \
    static const Library linked;    \
    return linked;                  \
  }
#define MELGRAD_CALL(library, function) (&function)

#endif

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

// The libraries count in int.
inline int as_int(const char* call, int64_t value) {
  require(value >= 0 && value <= 0x7fffffff, "{}: {} is too large for this library", call, value);
  return static_cast<int>(value);
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
