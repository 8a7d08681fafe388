// Cost: what an operation must do at least, beside each contract. A bench divides it by the machine's limits.
#pragma once

#include <cstdint>

namespace melgrad {

struct Cost {
  int64_t flops = 0;  // a fused multiply-add counts as two
  int64_t bytes = 0;  // compulsory traffic: each input read once, each output written once

  constexpr Cost operator+(const Cost& other) const { return {flops + other.flops, bytes + other.bytes}; }
  constexpr bool operator==(const Cost&) const = default;
};

}  // namespace melgrad
