#include "tensor/io/npy.h"

#include <doctest/doctest.h>

#include <bit>
#include <cstring>
#include <limits>

#include "kernels/arena.h"
#include "tensor/io/atomic_file.h"
#include "tests/temporary_folder.h"

namespace melgrad {
namespace {

const std::filesystem::path data_folder = std::filesystem::path(MELGRAD_TEST_DATA) / "io";

Tensor load_golden(const std::string& name) {
  return load_npy(data_folder / (name + ".npy"));
}

template <class T>
std::vector<T> list(const Tensor& tensor) {
  return {tensor.data<T>().begin(), tensor.data<T>().end()};
}

const std::vector<float> matrix{-1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5};

TEST_CASE("npy: files that NumPy wrote") {
  for (const char* name : {"f4_matrix", "f4_version_2", "f4_version_3"}) {
    const Tensor x = load_golden(name);
    CHECK(x.shape() == Shape{3, 4});
    CHECK(list<float>(x) == matrix);
  }
  CHECK(load_golden("f8_scalar").shape() == Shape{});
  CHECK(load_golden("f8_scalar").item() == 2.5);
  CHECK(load_golden("f4_empty").shape() == Shape{0, 3});
  CHECK(list<int32_t>(load_golden("i4_vector")) == std::vector<int32_t>{-5, 7, 2147483647});
  CHECK(list<int32_t>(load_golden("i8_labels")) ==
        std::vector<int32_t>{0, 9, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()});
  CHECK(load_golden("u1_image").shape() == Shape{1, 2, 3});
  CHECK(list<uint8_t>(load_golden("u1_image")) == std::vector<uint8_t>{0, 50, 100, 150, 200, 250});
  CHECK(list<uint8_t>(load_golden("b1_mask")) == std::vector<uint8_t>{1, 0, 1});
  CHECK(list<float>(load_golden("f4_fortran_vector")) == std::vector<float>{0, 1, 2});
}

TEST_CASE("npy: files that cannot be taken as they are") {
  CHECK_THROWS_WITH_AS(load_golden("i8_too_large"), doctest::Contains("value 2147483648 does not fit 32 bits"), Error);
  CHECK_THROWS_WITH_AS(load_golden("i8_too_small"), doctest::Contains("value -2147483649 does not fit 32 bits"), Error);
  CHECK_THROWS_WITH_AS(load_golden("f4_fortran"), doctest::Contains("f4_fortran.npy: in Fortran order"), Error);
  CHECK_THROWS_WITH_AS(load_golden("f4_big_endian"), doctest::Contains("element type '>f4' is not supported"), Error);
  CHECK_THROWS_WITH_AS(load_golden("f2"), doctest::Contains("element type '<f2' is not supported"), Error);
  CHECK_THROWS_WITH_AS(load_golden("structured"), doctest::Contains("bad header"), Error);
  CHECK_THROWS_WITH_AS(load_golden("seven_axes"), doctest::Contains("7 axes, expected at most 6"), Error);
  CHECK_THROWS_WITH_AS(load_golden("no_such_file"), doctest::Contains("no_such_file.npy: cannot read"), Error);
}

template <class T>
void check_round_trip(const std::filesystem::path& path, const std::vector<T>& values, const Shape& shape) {
  const Tensor x = Tensor::from(values, shape);
  save_npy(path, x);
  const Tensor y = load_npy(path);
  CHECK(y.shape() == shape);
  CHECK(y.dtype() == x.dtype());
  REQUIRE(y.numel() == x.numel());
  CHECK(std::memcmp(y.view().data, x.view().data, static_cast<std::size_t>(x.view().bytes())) == 0);
  CHECK((read_file(path).size() - static_cast<std::size_t>(x.view().bytes())) % 64 == 0);  // aligned
}

TEST_CASE("npy: what is written reads back, bit for bit") {
  const test::TemporaryFolder folder;
  const auto path = folder / "x.npy";
  check_round_trip<float>(path, matrix, {3, 4});
  check_round_trip<double>(path, {1.0 / 3}, {});
  check_round_trip<int32_t>(path, {-1, 2}, {1, 2, 1, 1, 1, 1});
  check_round_trip<uint8_t>(path, {0, 255}, {2});
  check_round_trip<float>(path, {}, {0});
  check_round_trip<float>(path, {}, {3, 0, 2});
  // A NaN keeps its payload, a zero its sign.
  check_round_trip<float>(path, {std::bit_cast<float>(0x7fc12345u), std::bit_cast<float>(0xff800001u), -0.0f}, {3});
  check_round_trip<double>(path, {std::bit_cast<double>(uint64_t{0x7ff8'0000'dead'beef})}, {1});
  CHECK_THROWS_WITH_AS(save_npy(folder / "no/such/x.npy", Tensor::zeros({1})), doctest::Contains("x.npy"), Error);
}

std::string npy(const std::string& header, const std::string& data, char version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += {version, '\0', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  if (version > 1) bytes += {'\0', '\0'};
  return bytes + header + data;
}

std::string header_of(const std::string& shape, const std::string& descr = "<f4") {
  return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
}

TEST_CASE("npy: a header that lies is an error and allocates nothing") {
  const std::string four(16, '\0');
  CHECK(parse_npy(npy(header_of("(4,)"), four), "test").shape() == Shape{4});
  CHECK(parse_npy(npy(header_of("(2, 2)"), four, 3), "test").shape() == Shape{2, 2});
  const ArenaStatistics before = arena(Device::cpu).statistics();
  const std::string bad[] = {
      npy(header_of("(5,)"), four),
      npy(header_of("(3,)"), four),
      npy(header_of("(-4,)"), four),
      npy(header_of("(-5,)"), std::string(4, '\0')),
      npy(header_of("(-2, -2)"), four),
      npy(header_of("(1000000000000,)"), four),
      npy(header_of("(9223372036854775807,)"), four),
      npy(header_of("(4611686018427387908,)"), four),     // times 4 wraps around to 16
      npy(header_of("(4294967296, 4294967296)"), four),   // wraps around to 0
      npy(header_of("(4294967296, 4294967296, 0)"), ""),  // is 0, but no shape to compute with
      npy(header_of("(0, 4294967296, 4294967296)"), ""),
      npy(header_of("(99999999999999999999,)"), four),
      npy(header_of("(4.0,)"), four),
      npy(header_of("(4,"), four),
      npy(header_of("4"), four),
      npy(header_of("(,)"), four),
      npy(header_of("(4,)", "<f4 "), four),
      npy(header_of("(4,)", "<c8"), four + four),
      npy("{'descr': '<f4', 'fortran_order': False}", four),
      npy("{'descr': '<f4', 'fortran_order': 0, 'shape': (4,)}", four),
      npy("{'descr': '<f4', 'shape': (4,)}", four),
      npy("{'fortran_order': False, 'shape': (4,)}", four),
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), 'more': 1}", four),
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4,)", four),
      npy("{'descr: <f4", four),
      npy("", four),
      npy(std::string(60'000, '('), four),
      npy(header_of("(4,)"), four, 0),
      npy(header_of("(4,)"), four, 4),
      "",
      "\x93NUMPY",
      "RIFF and other things that are no array",
      std::string("\x93NUMPY\x01\x00\xff\xff", 10) + header_of("(4,)") + four,
      std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12) + header_of("(4,)") + four,
      std::string("\x93NUMPY\x02\x00\x00\x00", 10),
  };
  for (const std::string& bytes : bad) {
    INFO(bytes.substr(0, 100));
    CHECK_THROWS_WITH_AS(parse_npy(bytes, "some.npy"), doctest::Contains("some.npy: "), Error);
  }
  CHECK(arena(Device::cpu).statistics().reserved == before.reserved);
  CHECK(arena(Device::cpu).statistics().in_use == before.in_use);
}

TEST_CASE("npy: any truncation is an error, any damage is one or is read") {
  for (const char* name : {"f4_matrix", "i8_labels", "f4_version_2"}) {
    const std::string bytes = read_file(data_folder / (std::string(name) + ".npy"));
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      INFO(name, " cut to ", length);
      CHECK_THROWS_AS(parse_npy(bytes.substr(0, length), name), Error);
    }
    CHECK_THROWS_AS(parse_npy(bytes + '\0', name), Error);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (int value = 0; value < 256; ++value) {
        std::string damaged = bytes;
        damaged[at] = static_cast<char>(value);
        try {
          parse_npy(damaged, name);
        } catch (const Error&) {  // anything else ends the test
        }
      }
    }
  }
}

}  // namespace
}  // namespace melgrad
