#include "tensor/io/safetensors.h"

#include <doctest/doctest.h>

#include <bit>
#include <cstring>

#include "kernels/arena.h"
#include "tensor/io/atomic_file.h"
#include "tests/temporary_folder.h"

namespace melgrad {
namespace {

const std::filesystem::path data_folder = std::filesystem::path(MELGRAD_TEST_DATA) / "io";

template <class T>
std::vector<T> list(const Tensor& tensor) {
  return {tensor.data<T>().begin(), tensor.data<T>().end()};
}

TEST_CASE("safetensors: a file that the safetensors package wrote") {
  const TensorFile file = load_safetensors(data_folder / "mixed.safetensors");
  CHECK(file.metadata == std::map<std::string, std::string>{{"format", "pt"}, {"made by", "safetensors 0.8.0"}});
  CHECK(file.tensors.size() == 6);
  CHECK(file.tensors.at("layer.weight").shape() == Shape{3, 4});
  CHECK(list<float>(file.tensors.at("layer.weight"))[1] == -0.5f);
  CHECK(list<float>(file.tensors.at("layer.weight"))[11] == 4.5f);
  CHECK(list<float>(file.tensors.at("layer.bias")) == std::vector<float>{0.25f, -0.5f});
  CHECK(file.tensors.at("zz_empty").shape() == Shape{4, 0});
  CHECK(file.tensors.at("zz_empty").dtype() == DType::f64);
  CHECK(file.tensors.at("mean").shape() == Shape{});
  CHECK(file.tensors.at("mean").item() == 3.125);
  CHECK(list<int32_t>(file.tensors.at("labels")) == std::vector<int32_t>{1, -2});
  CHECK(list<uint8_t>(file.tensors.at("mask")) == std::vector<uint8_t>{1, 0, 255});
  CHECK(load_safetensors(data_folder / "none.safetensors").tensors.empty());
  CHECK_THROWS_WITH_AS(load_safetensors(data_folder / "half.safetensors"),
                       doctest::Contains("tensor 'half' is F16; expected F32, F64, I32 or U8"), Error);
}

TEST_CASE("safetensors: what is written reads back, bit for bit, and equal contents give equal bytes") {
  TensorFile file;
  // The payload of a NaN and the sign of a zero are kept.
  const std::vector<float> odd{std::bit_cast<float>(0x7fc12345u), std::bit_cast<float>(0xff800001u), -0.0f};
  file.tensors["odd"] = Tensor::from(odd, {3, 1});
  file.tensors["scalar"] = Tensor::full({}, 0.1, DType::f64);
  file.tensors["labels"] = Tensor::from(std::vector<int32_t>{-7, 7}, {2});
  file.tensors["bytes"] = Tensor::from(std::vector<uint8_t>{1, 2, 3}, {3});
  // More than a few empty ones, each at the offset of its neighbour: no order of them may look like an overlap.
  for (int i = 0; i < 40; ++i) file.tensors[fmt::format("{}_{}", i % 2 == 0 ? "a" : "z", i)] = Tensor::zeros({i % 3});
  file.metadata = {{"epoch", "3"}, {"text", "\"quoted\"\n\tand ünicode"}};
  const test::TemporaryFolder folder;
  save_safetensors(folder / "x.safetensors", file);
  const std::string bytes = read_file(folder / "x.safetensors");
  const TensorFile back = load_safetensors(folder / "x.safetensors");
  CHECK(back.metadata == file.metadata);
  REQUIRE(back.tensors.size() == file.tensors.size());
  for (const auto& [name, tensor] : file.tensors) {
    const Tensor& other = back.tensors.at(name);
    CHECK(other.shape() == tensor.shape());
    CHECK(other.dtype() == tensor.dtype());
    CHECK(std::memcmp(other.view().data, tensor.view().data, static_cast<std::size_t>(tensor.view().bytes())) == 0);
  }
  CHECK(format_safetensors(back) == bytes);
  CHECK(parse_safetensors(format_safetensors({}), "nothing").tensors.empty());
  uint64_t header_length;
  std::memcpy(&header_length, bytes.data(), 8);
  CHECK(header_length % 8 == 0);

  CHECK_THROWS_AS(format_safetensors({.tensors = {{"__metadata__", Tensor::zeros({1})}}, .metadata = {}}), Error);
  CHECK_THROWS_AS(save_safetensors(folder / "no/such/x.safetensors", file), Error);
}

std::string file_of(const std::string& header, std::size_t data_size, int64_t lie = 0) {
  const uint64_t length = header.size() + static_cast<uint64_t>(lie);
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + std::string(data_size, '\0');
}

std::string entry(const std::string& name, const std::string& shape, const std::string& offsets,
                  const std::string& dtype = "\"F32\"") {
  return fmt::format(R"("{}": {{"dtype": {}, "shape": {}, "data_offsets": {}}})", name, dtype, shape, offsets);
}

std::string object(const std::string& entries) {
  return fmt::format("{{{}}}", entries);
}

std::string one(const std::string& shape, const std::string& offsets, const std::string& dtype = "\"F32\"") {
  return file_of(object(entry("x", shape, offsets, dtype)), 16);
}

std::string repeated(const std::string& text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

TEST_CASE("safetensors: a header that lies is an error and allocates nothing") {
  CHECK(parse_safetensors(one("[4]", "[0, 16]"), "test").tensors.at("x").shape() == Shape{4});
  const ArenaStatistics before = arena(Device::cpu).statistics();
  constexpr int deep = 1'000'000;
  const std::string bad[] = {
      "",
      "short",
      "text that is no such file, but long enough to have a length",
      file_of("{}", 0, 1),
      file_of("{}", 0, -3),  // a length that wraps around
      file_of("{}", 8, 100),
      file_of("{}", 4),  // data that nobody owns
      file_of("[]", 0),
      file_of("null", 0),
      file_of("{", 0),
      file_of("{} {}", 0),
      file_of("\xff\xfe{}", 0),
      one("[5]", "[0, 16]"),
      one("[3]", "[0, 16]"),
      one("[3]", "[0, 12]"),  // the last 4 bytes are nobody's
      one("[3]", "[4, 16]"),  // nor are the first
      one("[5]", "[0, 20]"),
      one("[4]", "[16, 0]"),
      one("[4]", "[-16, 0]"),
      one("[4]", "[0, 16, 16]"),
      one("[4]", "[0]"),
      one("[4]", "[0, \"16\"]"),
      one("[4]", "[0, 16.0]"),
      one("[4]", "[0, 1e999]"),
      one("[4]", "[18446744073709551600, 18446744073709551616]"),
      one("[4]", "[18446744073709551600, 0]"),
      one("[-4]", "[0, 16]"),
      one("[4.0]", "[0, 16]"),
      one("[null]", "[0, 16]"),
      one("[[4]]", "[0, 16]"),
      one("4", "[0, 16]"),
      one("[1000000000000]", "[0, 4000000000000]"),
      one("[4611686018427387908]", "[0, 16]"),  // times 4 wraps around to 16
      one("[18446744073709551615]", "[0, 16]"),
      one("[4294967296, 4294967296]", "[0, 0]"),
      one("[4294967296, 4294967296, 4294967296, 0]", "[0, 0]"),
      one("[0, 4294967296, 4294967296]", "[0, 0]"),
      one("[1, 1, 1, 1, 1, 1, 4]", "[0, 16]"),
      one("[4]", "[0, 16]", "\"F16\""),
      one("[4]", "[0, 16]", "\"f32\""),
      one("[4]", "[0, 16]", "32"),
      file_of(R"({"x": {}})", 0),
      file_of(R"({"x": [1, 2]})", 0),
      file_of(R"({"x": {"dtype": "F32", "shape": [4]}})", 16),
      file_of(R"({"__metadata__": {"a": 1}})", 0),
      file_of(R"({"__metadata__": "text"})", 0),
      file_of(object(entry("x", "[3]", "[0, 12]") + "," + entry("y", "[2]", "[8, 16]")), 16),
      file_of(object(entry("x", "[4]", "[0, 16]") + "," + entry("y", "[4]", "[0, 16]")), 16),
      file_of(object(entry("x", "[4]", "[0, 16]") + "," + entry("y", "[1]", "[4, 8]")), 16),
      file_of(object(entry("x", "[1]", "[0, 4]") + "," + entry("y", "[2]", "[8, 16]")), 16),
      file_of(object(entry("x", "[4]", "[0, 16]") + "," + entry("x", "[4]", "[0, 16]")), 16),
      file_of(repeated("[", deep), 0),
      file_of(repeated("{\"a\":", deep), 0),
      file_of(repeated("[", deep) + repeated("]", deep), 0),
      one(repeated("[", deep) + repeated("]", deep), "[0, 16]"),
      one("[4]", repeated("[", deep) + repeated("]", deep)),
  };
  for (const std::string& bytes : bad) {
    INFO(bytes.substr(0, 200));
    CHECK_THROWS_WITH_AS(parse_safetensors(bytes, "some.safetensors"), doctest::Contains("some.safetensors: "), Error);
  }
  CHECK(arena(Device::cpu).statistics().reserved == before.reserved);
  CHECK(arena(Device::cpu).statistics().in_use == before.in_use);
}

TEST_CASE("safetensors: any truncation is an error, any damage is one or is read") {
  const std::string bytes = read_file(data_folder / "mixed.safetensors");
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    INFO("cut to ", length);
    CHECK_THROWS_AS(parse_safetensors(bytes.substr(0, length), "cut"), Error);
  }
  CHECK_THROWS_AS(parse_safetensors(bytes + '\0', "longer"), Error);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int value = 0; value < 256; value += 3) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(value);
      try {
        parse_safetensors(damaged, "damaged");
      } catch (const Error&) {  // anything else ends the test
      }
    }
  }
}

}  // namespace
}  // namespace melgrad
