// The types of layers' options as text, for [[layer]] tables: see kernels/options.h.
//
//   a pair       3 or [3, 5]
//   padding      "same", "valid", or amounts: 2 for both ends; [before, after] of one axis; in two dimensions [rows,
//                columns], each a number or [before, after]
//   integers     [12, 4] or 12
#pragma once

#include "kernels/options.h"
#include "layers/window_options.h"
#include "tensor/ops/batch_norm.h"

namespace melgrad {

// The items of "[a, [b, c]]": "a" and "[b, c]". Text without brackets is one item.
std::vector<std::string> list_items(std::string_view key, std::string_view text);

// Sizes, axes.
struct Integers {
  std::vector<int64_t> values{};

  Integers() = default;
  Integers(std::initializer_list<int64_t> list) : values(list) {}
};
void option_from_text(std::string_view key, std::string_view text, Integers& integers);
std::string option_to_text(const Integers& integers);

void option_from_text(std::string_view key, std::string_view text, Pair& pair);
std::string option_to_text(const Pair& pair);

void option_from_text(std::string_view key, std::string_view text, AxisPadding& padding);
std::string option_to_text(const AxisPadding& padding);

void option_from_text(std::string_view key, std::string_view text, PairPadding& padding);
std::string option_to_text(const PairPadding& padding);

// Keras's number: the part that is kept.
inline void option_from_text(std::string_view key, std::string_view text, Momentum& momentum) {
  option_from_text(key, text, momentum.keep);
}
inline std::string option_to_text(const Momentum& momentum) {
  return option_to_text(momentum.keep);
}

}  // namespace melgrad
