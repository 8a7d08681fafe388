#include "audio/synth/compose.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "kernels/error.h"
#include "kernels/philox.h"

namespace melgrad {
namespace {

constexpr std::array kMajor = {0, 2, 4, 5, 7, 9, 11};
constexpr std::array kMinor = {0, 2, 3, 5, 7, 8, 10};

// Semitones above the tonic of scale degree `degree`, counted from 0 and across octaves.
int scale_tone(Mode mode, int degree) {
  const int octave = degree >= 0 ? degree / 7 : -((6 - degree) / 7);
  const auto& scale = mode == Mode::major ? kMajor : kMinor;
  return 12 * octave + scale[static_cast<std::size_t>(degree - 7 * octave)];
}

std::string without_spaces(std::string_view pattern) {
  std::string steps;
  for (const char c : pattern)
    if (c != ' ') steps += c;
  return steps;
}

// Everything that the parts of one clip have in common.
class Composer {
 public:
  Composer(const Genre& genre, const ComposeOptions& options)
      : genre_(genre), random_(options.seed, Draw::synth, static_cast<uint32_t>(options.clip)) {
    score_.seconds = options.seconds;
    score_.genre = genre.name;
    score_.tempo = in(genre.tempo);
    score_.tonic = static_cast<int>(random_.below(12));
    score_.mode = random_.uniform() < genre.minor ? Mode::minor : Mode::major;
    swing_ = in(genre.swing);
    step_ = 60 / score_.tempo * static_cast<double>(genre.quarters_per_bar) / static_cast<double>(genre.steps_per_bar);
    steps_ = static_cast<int64_t>(std::ceil(options.seconds / step_)) + genre.steps_per_bar;
    offset_ = random_.uniform(0, 1) * step_ * static_cast<double>(genre.steps_per_bar);
    progression_ = pick(genre.progressions);
    first_bar_ = random_.below(static_cast<uint32_t>(progression_.size()));
    score_.mastering = draw_mastering();
  }

  Score compose() && {
    if (random_.uniform() < genre_.drums) add_drums(pick(genre_.grooves));
    for (const Part& part : genre_.parts)
      if (random_.uniform() < part.presence) add_part(part);
    return std::move(score_);
  }

 private:
  double in(Range range) { return random_.uniform(range.low, range.high); }

  template <class T>
  const T& pick(const std::vector<T>& items) {
    require(!items.empty(), "genre {} has an empty list to draw from", genre_.name);
    return items[random_.below(static_cast<uint32_t>(items.size()))];
  }

  Mastering draw_mastering() {
    Mastering mastering;
    mastering.peak_db = random_.uniform(-16, -1);
    mastering.low_shelf_db = random_.uniform(-EQ, EQ);
    mastering.low_shelf_hz = random_.uniform(120, 400);
    mastering.bell_db = random_.uniform(-EQ, EQ);
    mastering.bell_hz = 400 * std::pow(2.0, random_.uniform(0, 2.6));
    mastering.high_shelf_db = random_.uniform(-EQ, EQ);
    mastering.high_shelf_hz = 2500 * std::pow(2.0, random_.uniform(0, 1.2));
    mastering.noise_db = random_.uniform(NOISE_LO, NOISE_HI);
    mastering.noise_seed = (uint64_t{random_.next()} << 32) | random_.next();
    return mastering;
  }

  double time_of(int64_t step) const {
    const double late = step % 2 == 1 ? swing_ : 0;
    return (static_cast<double>(step) + late) * step_ - offset_;
  }

  void add_note(int channel, int key, int64_t step, double duration, double velocity) {
    const double start = time_of(step) + genre_.loose * random_.normal();
    const double loud = velocity + 6 * random_.normal();
    score_.notes.push_back({.start = start, .duration = duration, .channel = channel, .key = key,
                            .velocity = static_cast<int>(std::clamp(std::round(loud), 1.0, 127.0))});
  }

  void add_drums(const Groove& groove) {
    static constexpr std::array kKits = {0, 8, 16, 25, 32, 40};
    score_.instruments.push_back({.channel = kDrumChannel,
                                  .program = kKits[random_.below(kKits.size())],
                                  .level_db = random_.uniform(-12, 0),
                                  .role = "drums"});
    for (const DrumLine& line : groove) {
      const std::string pattern = checked(line.pattern);
      const double level = random_.uniform(-18, 0);
      for (int64_t step = 0; step < steps_; ++step) {
        const char stroke = pattern[static_cast<std::size_t>(step) % pattern.size()];
        if (stroke == '.' || (stroke == '?' && random_.uniform() >= 0.4)) continue;
        const double velocity = stroke == 'X' ? 116 : stroke == 'x' ? 94 : 60;
        add_note(kDrumChannel, line.key, step, 0.2, velocity + level);
      }
    }
  }

  std::string checked(std::string_view pattern) const {
    std::string steps = without_spaces(pattern);
    require(!steps.empty() && static_cast<int64_t>(steps.size()) % genre_.steps_per_bar == 0,
            "genre {}: pattern \"{}\" has {} steps, which are not bars of {}", genre_.name, pattern, steps.size(),
            genre_.steps_per_bar);
    return steps;
  }

  // Degree of the key, from 0, of the chord that sounds at `step`.
  int chord_at(int64_t step) const {
    const auto bar = static_cast<std::size_t>(step / genre_.steps_per_bar) + first_bar_;
    return progression_[bar % progression_.size()] - '1';
  }

  // Semitones above the tonic of the chord's degree (1, 3, 5, 6, 7, 8).
  int chord_tone(int chord, int degree) const {
    if (degree == 8) return scale_tone(score_.mode, chord) + 12;
    if (genre_.harmony == Harmony::dominant_sevenths) {
      static constexpr std::array kDominant = {0, 0, 4, 4, 7, 9, 10};
      return scale_tone(score_.mode, chord) + kDominant[static_cast<std::size_t>(degree - 1)];
    }
    return scale_tone(score_.mode, chord + degree - 1);
  }

  // The key of `tone` (semitones above the tonic) in the octave from `lowest` up.
  int fold(int tone, int lowest) const { return lowest + ((score_.tonic + tone - lowest) % 12 + 12) % 12; }

  void add_part(const Part& part) {
    const int channel = next_channel_++;
    score_.instruments.push_back({.channel = channel, .program = pick(part.programs),
                                  .level_db = in(part.level_db), .role = std::string(part.role)});
    const std::string pattern = checked(pick(part.patterns));
    const double gate = in(part.gate);
    const int lowest = part.lowest + static_cast<int>(random_.below(9)) - 4;
    int melody = static_cast<int>(random_.below(7));
    int walk = 0;
    for (int64_t step = 0; step < steps_; ++step) {
      const char what = pattern[static_cast<std::size_t>(step) % pattern.size()];
      if (what == '.' || what == '-') continue;
      int64_t length = 1;
      while (pattern[static_cast<std::size_t>(step + length) % pattern.size()] == '-') ++length;
      const double duration = gate * step_ * static_cast<double>(length);
      const double velocity = step % (genre_.steps_per_bar / genre_.quarters_per_bar) == 0 ? 100 : 90;
      const auto sound = [&](int key) { add_note(channel, key, step, duration, velocity); };
      const int chord = chord_at(step);
      switch (what) {
        case 'c':
          sound(fold(chord_tone(chord, 1), lowest));
          sound(fold(chord_tone(chord, 3), lowest));
          sound(fold(chord_tone(chord, 5), lowest));
          if (genre_.harmony != Harmony::triads) sound(fold(chord_tone(chord, 7), lowest));
          break;
        case 'p': {
          const int root = fold(chord_tone(chord, 1), lowest);
          for (const int interval : {0, 7, 12}) sound(root + interval);
          break;
        }
        case 'm': {
          const int stride = static_cast<int>(random_.below(5)) - 2;
          melody = std::clamp(melody + (stride == 0 ? 1 : stride), 0, 13);
          sound(lowest + scale_tone(score_.mode, melody) + fold(0, 0));
          break;
        }
        case 'w': {
          walk += random_.below(2) == 0 ? 2 : 1;
          const bool first = step % genre_.steps_per_bar == 0;
          if (first) walk = 0;
          sound(fold(scale_tone(score_.mode, chord + walk), lowest));
          break;
        }
        case '8':
          sound(fold(chord_tone(chord, 1), lowest) + 12);
          break;
        default:
          require(what >= '1' && what <= '7', "genre {}: pattern \"{}\" has an unknown '{}'", genre_.name, pattern, what);
          sound(fold(chord_tone(chord, what - '0'), lowest));
      }
    }
  }

  const Genre& genre_;
  Generator random_;
  Score score_;
  double swing_ = 0;
  double step_ = 0;    // seconds
  int64_t steps_ = 0;  // of the clip, with one bar more for the offset
  double offset_ = 0;  // seconds of music before the clip starts
  std::string_view progression_;
  std::size_t first_bar_ = 0;
  int next_channel_ = 0;
};

}  // namespace

Score compose(const Genre& genre, const ComposeOptions& options) { return Composer(genre, options).compose(); }

}  // namespace melgrad
