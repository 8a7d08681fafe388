// What cuDNN's descriptors answer to random settings, valid and not: a line each. Compiled against cuDNN, which needs no
// GPU for this, and against its stand-in (docs/simt.md), it should print the same:
//
//   g++ -std=c++20 -I/usr/local/cuda/include scripts/cudnn_answers.cpp -L/usr/local/cuda/lib -lcudnn -lcudart -o real
//   g++ -std=c++20 -DMELGRAD_STAND_IN -I. scripts/cudnn_answers.cpp build/release/kernels/libmelgrad_kernels.a
//       -lfmt -lboost_context -lhwy -ldl -o stand_in
//   cmp <(./real) <(./stand_in)
#ifdef MELGRAD_STAND_IN
#include "kernels/simt/libraries/cudnn.h"
using namespace melgrad::simt;
#else
#include <cudnn.h>
#endif

#include <cstdio>
#include <initializer_list>
#include <random>

namespace {

std::mt19937 random_bits(1);

int one_of(std::initializer_list<int> values) {
  return *(values.begin() + random_bits() % values.size());
}
bool one_in(unsigned n) {
  return random_bits() % n == 0;
}

cudnnTensorDescriptor_t x;
cudnnFilterDescriptor_t w;
cudnnConvolutionDescriptor_t convolution;

void reset_tensor() {
  cudnnSetTensor4dDescriptor(x, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 1, 2, 9, 9);
}
void reset_filter() {
  cudnnSetFilter4dDescriptor(w, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, 1, 2, 1, 1);
}
void reset_convolution() {
  cudnnSetConvolution2dDescriptor(convolution, 1, 0, 1, 1, 1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT);
}
void reset_math() {
  cudnnSetConvolutionMathType(convolution, CUDNN_FMA_MATH);
}
void reset_groups() {
  cudnnSetConvolutionGroupCount(convolution, 2);
}

// What is refused may leave anything behind, so it is set anew.
void print(cudnnStatus_t status, void (*reset)()) {
  std::printf(" %d", status);
  if (status != CUDNN_STATUS_SUCCESS) reset();
}

int data_type() {
  return one_of({0, 0, 0, 1, 2, 9, 99});
}

// Returns the maps of the tensor.
int try_tensor() {
  int n = one_of({-1, 0, 1, 2, 3, 5, 70000}), c = one_of({0, 1, 2, 3, 4, 6, 12, 40000});
  int h = one_of({1, 2, 5, 9, 33}), width = one_of({0, 1, 3, 7, 64});
  if (!one_in(3)) n = one_of({1, 2, 3}), c = one_of({1, 2, 4, 6}), h = one_of({4, 9, 20}), width = one_of({5, 12});
  const auto type = static_cast<cudnnDataType_t>(data_type());
  const auto format = static_cast<cudnnTensorFormat_t>(one_of({0, 1, 1, 1, 5}));
  print(cudnnSetTensor4dDescriptor(x, format, type, n, c, h, width), reset_tensor);
  if (one_in(4)) {
    const int strides[] = {one_of({0, 1, 100, -5, 1000000}), one_of({0, 1, 100}), one_of({1, 7, 20, -3}),
                           one_of({1, 3, 10000})};
    print(cudnnSetTensor4dDescriptorEx(x, type, n, c, h, width, strides[0], strides[1], strides[2], strides[3]),
          reset_tensor);
  }
  if (one_in(6)) {
    const int sizes[] = {n, c, h, width, 1, 1, 1, 1, 1};
    const int strides[] = {c * h * width, 1, width * c, c, 1, 1, 1, 1, 1};
    print(cudnnSetTensorNdDescriptor(x, type, one_of({0, 4, 4, 4, 4, 8, 9}), sizes, strides), reset_tensor);
  }
  cudnnDataType_t type_now = CUDNN_DATA_FLOAT;
  int a[8] = {};
  size_t bytes = 0;
  std::printf(" %d", cudnnGetTensor4dDescriptor(x, &type_now, &a[0], &a[1], &a[2], &a[3], &a[4], &a[5], &a[6], &a[7]));
  std::printf(" (%d", type_now);
  for (const int value : a) std::printf(" %d", value);
  std::printf(") %d %zu;", cudnnGetTensorSizeInBytes(x, &bytes), bytes);
  return a[1];
}

void try_filter(int maps) {
  const int k = one_of({0, 1, 2, 3, 6, -1}), c = one_in(3) ? one_of({0, 1, 2, 3, 4}) : maps;
  const int r = one_of({0, 1, 2, 3, 5, 9}), s = one_of({1, 2, 3, 7});
  print(cudnnSetFilter4dDescriptor(w, static_cast<cudnnDataType_t>(data_type()),
                                   static_cast<cudnnTensorFormat_t>(one_of({0, 1, 1, 7})), k, c, r, s),
        reset_filter);
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  cudnnTensorFormat_t format = CUDNN_TENSOR_NCHW;
  int a[4] = {};
  size_t bytes = 0;
  std::printf(" %d", cudnnGetFilter4dDescriptor(w, &type, &format, &a[0], &a[1], &a[2], &a[3]));
  std::printf(" (%d %d %d %d %d %d)", type, format, a[0], a[1], a[2], a[3]);
  std::printf(" %d %zu;", cudnnGetFilterSizeInBytes(w, &bytes), bytes);
}

void try_convolution(int groups) {
  const int pad_h = one_of({-1, 0, 0, 1, 2, 4}), pad_w = one_of({0, 0, 1, 3}), u = one_of({0, 1, 1, 2, 3, -1});
  const int v = one_of({1, 1, 2}), dilation_h = one_of({0, 1, 1, 2}), dilation_w = one_of({1, 1, 3});
  print(cudnnSetConvolution2dDescriptor(convolution, pad_h, pad_w, u, v, dilation_h, dilation_w,
                                        static_cast<cudnnConvolutionMode_t>(one_of({0, 1, 1, 2})),
                                        static_cast<cudnnDataType_t>(one_of({0, 0, 1, 2, 99}))),
        reset_convolution);
  print(cudnnSetConvolutionMathType(convolution, static_cast<cudnnMathType_t>(one_of({0, 1, 2, 3, 4, -1}))),
        reset_math);
  print(cudnnSetConvolutionGroupCount(convolution, groups), reset_groups);
  cudnnMathType_t math = CUDNN_DEFAULT_MATH;
  cudnnConvolutionMode_t mode = CUDNN_CONVOLUTION;
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  int groups_now = 0, a[6] = {};
  cudnnGetConvolutionMathType(convolution, &math);
  cudnnGetConvolutionGroupCount(convolution, &groups_now);
  cudnnGetConvolution2dDescriptor(convolution, &a[0], &a[1], &a[2], &a[3], &a[4], &a[5], &mode, &type);
  std::printf(" (%d %d %d %d", math, groups_now, mode, type);
  for (const int value : a) std::printf(" %d", value);
  std::printf(");");
}

}  // namespace

int main() {
  cudnnCreateTensorDescriptor(&x);
  cudnnCreateFilterDescriptor(&w);
  cudnnCreateConvolutionDescriptor(&convolution);
  reset_tensor();
  reset_filter();
  reset_convolution();
  for (int round = 0; round < 20000; ++round) {
    const int groups = one_of({0, 1, 1, 1, 2, 3, -1});
    const int maps = try_tensor();
    try_filter(groups > 0 ? maps / groups : maps);
    try_convolution(groups);
    int a[4] = {};
    const int status = cudnnGetConvolution2dForwardOutputDim(convolution, x, w, &a[0], &a[1], &a[2], &a[3]);
    std::printf(" %d", status);
    if (status == CUDNN_STATUS_SUCCESS) std::printf(" %d %d %d %d", a[0], a[1], a[2], a[3]);
    std::printf("\n");
  }
}
