#include "kernels/cuda/cudnn_convolution.h"

#include <cudnn.h>

#include <memory>
#include <mutex>
#include <vector>

#include "kernels/cuda/library.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

MELGRAD_LIBRARY(cudnn)

void check(cudnnStatus_t status, const char* call) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  char reason[256] = "";
  MELGRAD_CALL(cudnn, cudnnGetLastErrorString)(reason, sizeof reason);
  fail("{}: {}: {}", call, MELGRAD_CALL(cudnn, cudnnGetErrorString)(status), reason);
}

// Calls a function of the library and throws its name and text if it fails.
#define CHECKED(function, ...) check(MELGRAD_CALL(cudnn, function)(__VA_ARGS__), #function)

// One for the life of the program: at its end the driver may be gone before it could be destroyed.
cudnnHandle_t handle() {
  static const cudnnHandle_t created = [] {
    cudnnHandle_t made = nullptr;
    CHECKED(cudnnCreate, &made);
    CHECKED(cudnnSetStream, made, main_stream());
    return made;
  }();
  return created;
}

// The number of outputs that cuDNN computes along an axis: it pads both ends alike.
int64_t symmetric_outputs(Window window, int64_t length) {
  window.pad_after = window.pad_before;
  return window.output(length);
}

// Made and destroyed together; apart from Convolution, so that none is left behind where it cannot be made.
struct Descriptors {
  Descriptors() {
    CHECKED(cudnnCreateTensorDescriptor, &x);
    CHECKED(cudnnCreateTensorDescriptor, &y);
    CHECKED(cudnnCreateFilterDescriptor, &w);
    CHECKED(cudnnCreateConvolutionDescriptor, &convolution);
  }
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;
  ~Descriptors() {
    MELGRAD_CALL(cudnn, cudnnDestroyTensorDescriptor)(x);
    MELGRAD_CALL(cudnn, cudnnDestroyTensorDescriptor)(y);
    MELGRAD_CALL(cudnn, cudnnDestroyFilterDescriptor)(w);
    MELGRAD_CALL(cudnn, cudnnDestroyConvolutionDescriptor)(convolution);
  }

  cudnnTensorDescriptor_t x{}, y{};
  cudnnFilterDescriptor_t w{};
  cudnnConvolutionDescriptor_t convolution{};
};

// The descriptors of a problem, and what was chosen for each direction.
class Convolution : public Descriptors {
 public:
  Convolution(const Conv2dProblem& p, CudnnMath math) : problem(p), math_(math) {
    const auto size = [](int64_t value) { return as_int("cuDNN convolution", value); };
    CHECKED(cudnnSetTensor4dDescriptor, x, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, size(p.n), size(p.c), size(p.h),
            size(p.w));
    CHECKED(cudnnSetTensor4dDescriptor, y, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, size(p.n), size(p.o), size(p.h_out()),
            size(p.w_out()));
    CHECKED(cudnnSetFilter4dDescriptor, w, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, size(p.o), size(p.c), size(p.rows.size),
            size(p.columns.size));
    CHECKED(cudnnSetConvolution2dDescriptor, convolution, size(p.rows.pad_before), size(p.columns.pad_before),
            size(p.rows.stride), size(p.columns.stride), size(p.rows.dilation), size(p.columns.dilation),
            CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT);
  }
  bool is_of(const Conv2dProblem& p, CudnnMath math) const { return problem == p && math_ == math; }

  // The expected fastest of the deterministic algorithms, of which query(most, count, results) gives the list; asked for
  // once and kept. Its math type stands in the descriptor from then on, as it must when the algorithm runs; in f32 that is
  // CUDNN_FMA_MATH, whatever the list calls it.
  template <class Result, class Query>
  const Result& chosen(std::unique_ptr<Result>& kept, int most, const Query& query) const {
    if (!kept) {
      set_math(asked());
      std::vector<Result> results(static_cast<std::size_t>(most));
      int count = 0;
      query(most, &count, results.data());
      for (int i = 0; i < count && !kept; ++i) {
        const Result& result = results[static_cast<std::size_t>(i)];
        if (result.status == CUDNN_STATUS_SUCCESS && result.determinism == CUDNN_DETERMINISTIC)
          kept = std::make_unique<Result>(result);
      }
      require(kept != nullptr, "cuDNN has no deterministic algorithm for this convolution");
      if (math_ == CudnnMath::f32) kept->mathType = CUDNN_FMA_MATH;
    }
    set_math(kept->mathType);
    return *kept;
  }

  const Conv2dProblem problem;
  std::unique_ptr<cudnnConvolutionFwdAlgoPerf_t> forward;
  std::unique_ptr<cudnnConvolutionBwdDataAlgoPerf_t> data;
  std::unique_ptr<cudnnConvolutionBwdFilterAlgoPerf_t> filter;

 private:
  cudnnMathType_t asked() const { return math_ == CudnnMath::f32 ? CUDNN_FMA_MATH : CUDNN_DEFAULT_MATH; }
  void set_math(cudnnMathType_t math) const { CHECKED(cudnnSetConvolutionMathType, convolution, math); }

  CudnnMath math_;
};

// Descriptors and choices are made once a problem and kept: a network has a few dozen.
Convolution& convolution_of(const Conv2dProblem& problem, CudnnMath math) {
  static std::mutex mutex;
  static auto& all = *new std::vector<std::unique_ptr<Convolution>>;
  const std::lock_guard lock(mutex);
  for (const auto& one : all)
    if (one->is_of(problem, math)) return *one;
  all.push_back(std::make_unique<Convolution>(problem, math));
  return *all.back();
}

constexpr float one = 1, zero = 0;

}  // namespace

bool cudnn_is_there() {
  return cudnn().is_there();
}

bool cudnn_supports(const Conv2dProblem& p) {
  constexpr int64_t most = 0x7fffffff;  // "2 Giga-elements" a tensor
  return p.x_shape().numel() <= most && p.weight_shape().numel() <= most && p.y_shape().numel() <= most &&
         p.groups == 1 && symmetric_outputs(p.rows, p.h) == p.h_out() && symmetric_outputs(p.columns, p.w) == p.w_out();
}

void cudnn_forward(Stream& stream, const Conv2dProblem& problem, CudnnMath math, const float* x, const float* w,
                   float* y) {
  using Result = cudnnConvolutionFwdAlgoPerf_t;
  Convolution& c = convolution_of(problem, math);
  int most = 0;
  CHECKED(cudnnGetConvolutionForwardAlgorithmMaxCount, handle(), &most);
  const Result& chosen = c.chosen(c.forward, most, [&](int asked, int* count, Result* results) {
    CHECKED(cudnnGetConvolutionForwardAlgorithm_v7, handle(), c.x, c.w, c.convolution, c.y, asked, count, results);
  });
  size_t bytes = 0;
  CHECKED(cudnnGetConvolutionForwardWorkspaceSize, handle(), c.x, c.w, c.convolution, c.y, chosen.algo, &bytes);
  const Buffer workspace = stream.workspace(static_cast<int64_t>(bytes));
  CHECKED(cudnnConvolutionForward, handle(), &one, c.x, x, c.w, w, c.convolution, chosen.algo, workspace.data(), bytes,
          &zero, c.y, y);
}

void cudnn_backward_data(Stream& stream, const Conv2dProblem& problem, CudnnMath math, const float* dy, const float* w,
                         float* dx) {
  using Result = cudnnConvolutionBwdDataAlgoPerf_t;
  Convolution& c = convolution_of(problem, math);
  int most = 0;
  CHECKED(cudnnGetConvolutionBackwardDataAlgorithmMaxCount, handle(), &most);
  const Result& chosen = c.chosen(c.data, most, [&](int asked, int* count, Result* results) {
    CHECKED(cudnnGetConvolutionBackwardDataAlgorithm_v7, handle(), c.w, c.y, c.convolution, c.x, asked, count, results);
  });
  size_t bytes = 0;
  CHECKED(cudnnGetConvolutionBackwardDataWorkspaceSize, handle(), c.w, c.y, c.convolution, c.x, chosen.algo, &bytes);
  const Buffer workspace = stream.workspace(static_cast<int64_t>(bytes));
  CHECKED(cudnnConvolutionBackwardData, handle(), &one, c.w, w, c.y, dy, c.convolution, chosen.algo, workspace.data(),
          bytes, &zero, c.x, dx);
}

void cudnn_backward_weight(Stream& stream, const Conv2dProblem& problem, CudnnMath math, const float* dy,
                           const float* x, float* dw) {
  using Result = cudnnConvolutionBwdFilterAlgoPerf_t;
  Convolution& c = convolution_of(problem, math);
  int most = 0;
  CHECKED(cudnnGetConvolutionBackwardFilterAlgorithmMaxCount, handle(), &most);
  const Result& chosen = c.chosen(c.filter, most, [&](int asked, int* count, Result* results) {
    CHECKED(cudnnGetConvolutionBackwardFilterAlgorithm_v7, handle(), c.x, c.y, c.convolution, c.w, asked, count,
            results);
  });
  size_t bytes = 0;
  CHECKED(cudnnGetConvolutionBackwardFilterWorkspaceSize, handle(), c.x, c.y, c.convolution, c.w, chosen.algo, &bytes);
  const Buffer workspace = stream.workspace(static_cast<int64_t>(bytes));
  CHECKED(cudnnConvolutionBackwardFilter, handle(), &one, c.x, x, c.y, dy, c.convolution, chosen.algo, workspace.data(),
          bytes, &zero, c.w, dw);
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
