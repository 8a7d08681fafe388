#include "models/metrics/key_score.h"

#include <numeric>

namespace melgrad {

std::optional<Key> parse_key(const std::string& name) {
  constexpr std::array<int, 7> semitones{9, 11, 0, 2, 4, 5, 7};  // A … G
  if (name.empty() || name[0] < 'A' || name[0] > 'G') return {};
  int tonic = semitones[static_cast<std::size_t>(name[0] - 'A')];
  std::size_t end = 1;
  if (name.size() > 1 && (name[1] == '#' || name[1] == 'b')) {
    tonic += name[1] == '#' ? 1 : -1;
    end = 2;
  }
  const std::string mode = name.substr(end);
  if (mode != " major" && mode != " minor") return {};
  return Key{(tonic + 12) % 12, mode == " major"};
}

std::optional<std::vector<Key>> parse_keys(const std::vector<std::string>& labels) {
  std::vector<Key> keys;
  for (const std::string& label : labels) {
    const std::optional<Key> key = parse_key(label);
    if (!key) return {};
    keys.push_back(*key);
  }
  return keys;
}

KeyRelation relation_of(const Key& truth, const Key& estimate) {
  const int above = (estimate.tonic - truth.tonic + 12) % 12;
  if (truth.major == estimate.major) {
    if (above == 0) return KeyRelation::same;
    return above == 7 ? KeyRelation::fifth : above == 5 ? KeyRelation::fifth_below : KeyRelation::other;
  }
  if (above == 0) return KeyRelation::parallel;
  // A minor is the relative of C major: nine semitones above it, three below.
  return above == (truth.major ? 9 : 3) ? KeyRelation::relative : KeyRelation::other;
}

double key_weight(KeyRelation relation, Fifths fifths) {
  switch (relation) {
    case KeyRelation::same:
      return 1;
    case KeyRelation::fifth:
      return 0.5;
    case KeyRelation::fifth_below:
      return fifths == Fifths::both ? 0.5 : 0;
    case KeyRelation::relative:
      return 0.3;
    case KeyRelation::parallel:
      return 0.2;
    case KeyRelation::other:
      break;
  }
  return 0;
}

int64_t KeyScore::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), int64_t{0});
}

double KeyScore::score(Fifths fifths) const {
  double sum = 0;
  for (const auto& [relation, name] : enum_names<KeyRelation>)
    sum += key_weight(relation, fifths) * static_cast<double>(count(relation));
  return total() == 0 ? 0.0 : sum / static_cast<double>(total());
}

}  // namespace melgrad
