// The wire format of Protocol Buffers, writing only: https://protobuf.dev/programming-guides/encoding/.
//
// A message is a string of fields, each a tag (number << 3 | wire type) and a value. ONNX files and TensorBoard's event
// files are such messages; a few lines write what they need, with no generated code and no library.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace melgrad {

class ProtobufMessage {
 public:
  ProtobufMessage& integer(int field, int64_t value) {
    tag(field, 0);
    varint(static_cast<uint64_t>(value));
    return *this;
  }
  ProtobufMessage& real(int field, float value) {
    tag(field, 5);
    fixed(std::bit_cast<uint32_t>(value), 4);
    return *this;
  }
  ProtobufMessage& real(int field, double value) {
    tag(field, 1);
    fixed(std::bit_cast<uint64_t>(value), 8);
    return *this;
  }
  ProtobufMessage& text(int field, std::string_view bytes) {
    tag(field, 2);
    varint(bytes.size());
    bytes_ += bytes;
    return *this;
  }
  ProtobufMessage& message(int field, const ProtobufMessage& message) { return text(field, message.bytes_); }
  // A repeated field, one tag an element: right for readers of either encoding, packed or not.
  ProtobufMessage& integers(int field, std::span<const int64_t> values) {
    for (int64_t value : values) integer(field, value);
    return *this;
  }
  ProtobufMessage& reals(int field, std::span<const float> values) {
    for (float value : values) real(field, value);
    return *this;
  }

  const std::string& bytes() const { return bytes_; }

 private:
  void tag(int field, int wire_type) { varint(static_cast<uint64_t>(field) << 3 | static_cast<uint64_t>(wire_type)); }
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  void fixed(uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) bytes_ += static_cast<char>(value >> (8 * i));
  }

  std::string bytes_;
};

}  // namespace melgrad
