// Reads Protocol Buffers, for tests of what writes them.
#pragma once

#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace melgrad::test {

// The fields of one message, by number: integers as such, all else as bytes.
class ProtobufFields {
 public:
  void add_integer(int64_t field, int64_t value) { integers_[field].push_back(value); }
  void add_bytes(int64_t field, std::string value) { bytes_[field].push_back(std::move(value)); }

  int64_t integer(int64_t field) const { return integers_.at(field).at(0); }
  const std::vector<int64_t>& integers(int64_t field) const { return integers_.at(field); }
  const std::string& text(int64_t field) const { return bytes_.at(field).at(0); }
  const std::vector<std::string>& all(int64_t field) const { return bytes_.at(field); }
  bool has(int64_t field) const { return integers_.contains(field) || bytes_.contains(field); }

 private:
  std::map<int64_t, std::vector<int64_t>> integers_;
  std::map<int64_t, std::vector<std::string>> bytes_;
};

inline ProtobufFields read_protobuf(const std::string& message) {
  ProtobufFields fields;
  std::size_t at = 0;
  const auto take = [&](std::size_t count) {
    if (count > message.size() - at) throw std::runtime_error("protobuf: a field past the end");
    at += count;
    return message.substr(at - count, count);
  };
  const auto varint = [&] {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    throw std::runtime_error("protobuf: a number without an end");
  };
  while (at < message.size()) {
    const uint64_t tag = varint();
    const auto field = static_cast<int64_t>(tag >> 3);
    switch (tag & 7) {
      case 0:
        fields.add_integer(field, static_cast<int64_t>(varint()));
        break;
      case 1:
        fields.add_bytes(field, take(8));
        break;
      case 2:
        fields.add_bytes(field, take(varint()));
        break;
      case 5:
        fields.add_bytes(field, take(4));
        break;
      default:
        throw std::runtime_error("protobuf: an unknown wire type");
    }
  }
  return fields;
}

}  // namespace melgrad::test
