#include "tensor/tensor.h"

#include <doctest/doctest.h>

#include <cmath>

namespace melgrad {
namespace {

TEST_CASE("tensors are made, read and copied") {
  const Tensor x = Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(x.shape() == Shape{2, 3});
  CHECK(x.dtype() == DType::f32);
  CHECK(x.device() == Device::cpu);
  CHECK(x.data<float>()[5] == 6);
  CHECK_THROWS_AS(x.data<double>(), Error);
  CHECK_THROWS_WITH_AS(Tensor::from(std::vector<float>{1}, {2}), "tensor: 1 values for shape (2)", Error);
  CHECK(Tensor::full({2}, 7, DType::i32).data<int32_t>()[1] == 7);
  CHECK(Tensor::zeros({3}, DType::u8).data<uint8_t>()[2] == 0);
  CHECK(Tensor::zeros({0, 4}).numel() == 0);
  CHECK(Tensor::zeros({}).numel() == 1);

  Tensor same = x, reshaped = x.with_shape({3, 2}), copy = x.clone();
  same.mutable_data<float>()[0] = 10;
  CHECK(x.data<float>()[0] == 10);
  CHECK(reshaped.data<float>()[0] == 10);
  CHECK(copy.data<float>()[0] == 1);
  CHECK(same.same_as(x));
  CHECK_FALSE(reshaped.same_as(x));
  CHECK_THROWS_AS(x.with_shape({4, 2}), Error);
  CHECK(copy.sole_owner());
  CHECK_FALSE(reshaped.sole_owner());
}

TEST_CASE("item reads any type, of one element only") {
  CHECK(Tensor::full({1, 1}, 2.5, DType::f64).item() == 2.5);
  CHECK(Tensor::full({}, 2.5).item() == 2.5);
  CHECK(Tensor::full({}, -3, DType::i32).item() == -3);
  CHECK(Tensor::full({}, 200, DType::u8).item() == 200);
  CHECK_THROWS_WITH_AS(Tensor::zeros({2}).item(), "item: the tensor is (2), expected one element", Error);
  CHECK_FALSE(Tensor().defined());
}

TEST_CASE("each write counts") {
  Tensor x = Tensor::zeros({2});
  const uint64_t version = x.storage()->version;
  x.view();
  CHECK(x.storage()->version == version);
  x.with_shape({1, 2}).mutable_view();
  CHECK(x.storage()->version == version + 1);
}

}  // namespace
}  // namespace melgrad
