// NumberOr: an option that is a number or one word, such as ref = "max" or fmax = "nyquist".
#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "kernels/options.h"

namespace melgrad {

// `Word` is a type with a `static constexpr std::string_view text`. Default: the word.
template <class Word>
class NumberOr {
 public:
  NumberOr() = default;
  NumberOr(double number) : number_(number) {}  // NOLINT(google-explicit-constructor): options read as numbers

  bool is_word() const { return !number_; }
  double value_or(double number_for_word) const { return number_.value_or(number_for_word); }
  bool operator==(const NumberOr&) const = default;

  friend void option_from_text(std::string_view key, std::string_view text, NumberOr& value) {
    if (unquoted(text) == Word::text) {
      value = NumberOr();
      return;
    }
    double number = 0;
    try {
      option_from_text(key, text, number);
    } catch (const Error&) {
      fail("{}: '{}' is neither a number nor \"{}\"", key, text, Word::text);
    }
    value = number;
  }
  friend std::string option_to_text(const NumberOr& value) {
    return value.number_ ? melgrad::option_to_text(*value.number_) : melgrad::in_quotes(Word::text);
  }

 private:
  std::optional<double> number_;
};

}  // namespace melgrad
