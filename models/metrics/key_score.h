// The score of key estimation in MIREX: near misses count in part.
//
// https://www.music-ir.org/mirex/wiki/2024:Audio_Key_Detection: 1 for the key, 0.5 for a perfect fifth, 0.3 for the
// relative and 0.2 for the parallel key. Sources differ on whether a fifth below counts as one above does: mir_eval takes
// the fifth above alone. Both are given.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/enum_names.h"

namespace melgrad {

struct Key {
  int tonic = 0;  // semitones above C
  bool major = true;
  bool operator==(const Key&) const = default;
};

// "C# minor", "Bb major"; nothing for other text.
std::optional<Key> parse_key(const std::string& name);
// Those of all labels, in order; nothing if one is no key.
std::optional<std::vector<Key>> parse_keys(const std::vector<std::string>& labels);

// What an estimate is to the true key.
enum class KeyRelation : uint8_t { same, fifth, fifth_below, relative, parallel, other };

template <>
inline constexpr EnumNames<KeyRelation, 6> enum_names<KeyRelation>{{{KeyRelation::same, "same"},
                                                                    {KeyRelation::fifth, "fifth"},
                                                                    {KeyRelation::fifth_below, "fifth_below"},
                                                                    {KeyRelation::relative, "relative"},
                                                                    {KeyRelation::parallel, "parallel"},
                                                                    {KeyRelation::other, "other"}}};

KeyRelation relation_of(const Key& truth, const Key& estimate);

// Which fifths count as a near miss: mir_eval's rule, or both.
enum class Fifths : uint8_t { ascending, both };
double key_weight(KeyRelation relation, Fifths fifths);

class KeyScore {
 public:
  void add(const Key& truth, const Key& estimate) { ++counts_[static_cast<std::size_t>(relation_of(truth, estimate))]; }

  int64_t count(KeyRelation relation) const { return counts_[static_cast<std::size_t>(relation)]; }
  int64_t total() const;
  double score(Fifths fifths) const;  // the mean weight; 0 of nothing

 private:
  std::array<int64_t, 6> counts_{};
};

}  // namespace melgrad
