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

// Everything that the parts of one clip have in common.
class Composer {
 public:
  Composer(const Genre& genre, const ComposeOptions& options)
      : genre_(genre),
        sections_(options.sections),
        random_(options.seed, Draw::synth, static_cast<uint32_t>(options.clip)) {
    score_.seconds = options.seconds;
    score_.genre = genre.name;
    score_.tempo = in(genre.tempo);
    score_.tonic = static_cast<int>(random_.below(12));
    score_.mode = random_.uniform() < genre.minor ? Mode::minor : Mode::major;
    score_.tonic = options.tonic.value_or(score_.tonic);
    score_.mode = options.mode.value_or(score_.mode);
    swing_ = in(genre.swing);
    step_ = 60 / score_.tempo * static_cast<double>(genre.quarters_per_bar) / static_cast<double>(genre.steps_per_bar);
    steps_ = static_cast<int64_t>(std::ceil(options.seconds / step_)) + genre.steps_per_bar;
    offset_ = random_.uniform(0, 1) * step_ * static_cast<double>(genre.steps_per_bar);
    progression_ = pick(genre.progressions);
    first_bar_ = random_.below(static_cast<uint32_t>(progression_.size()));
    score_.mastering = draw_mastering();
  }

  Score compose() && {
    const bool drums = random_.uniform() < genre_.drums;
    if (drums) add_kit();
    for (int64_t section = 0; section < sections_; ++section) {
      section_begin_ = first_step(section);
      section_end_ = first_step(section + 1);
      if (drums) add_drums(pick(genre_.grooves));
      int channel = 0;
      for (const Part& part : genre_.parts) {
        if (random_.uniform() < part.presence) add_part(part, channel);
        ++channel;
      }
    }
    return std::move(score_);
  }

 private:
  // The first step of the bar where section `section` begins.
  int64_t first_step(int64_t section) const {
    const int64_t bars = (steps_ + genre_.steps_per_bar - 1) / genre_.steps_per_bar;
    return bars * section / sections_ * genre_.steps_per_bar;
  }

  double in(Range range) { return random_.uniform(range.low, range.high); }

  template <class T>
  const T& pick(const std::vector<T>& items) {
    require(!items.empty(), "genre {} has an empty list to draw from", genre_.name);
    return items[random_.below(static_cast<uint32_t>(items.size()))];
  }

  // Wide enough that the mean spectrum says little: see genres.h. Each draw is its own statement where the order of
  // evaluation would else be the compiler's choice.
  Mastering draw_mastering() {
    constexpr double kShelfDb = 6, kBellDb = 10;
    Mastering mastering;
    mastering.peak_db = random_.uniform(-13, -1);
    mastering.low_shelf_db = random_.uniform(-kShelfDb, kShelfDb);
    mastering.low_shelf_hz = random_.uniform(120, 400);
    for (int bell = 0; bell < 3; ++bell) {
      const double octaves = random_.uniform(0, 4.5);
      mastering.bells.push_back({.db = random_.uniform(-kBellDb, kBellDb), .hz = 300 * std::exp2(octaves)});
    }
    mastering.high_shelf_db = random_.uniform(-kShelfDb, kShelfDb);
    mastering.high_shelf_hz = 2500 * std::exp2(random_.uniform(0, 1.2));
    mastering.noise_db = random_.uniform(-78, -54);
    const uint64_t high = random_.next();
    mastering.noise_seed = (high << 32) | random_.next();
    return mastering;
  }

  double time_of(int64_t step) const {
    const double late = step % 2 == 1 ? swing_ : 0;
    return (static_cast<double>(step) + late) * step_ - offset_;
  }

  // Played as people do: a little early or late, a little louder or softer.
  void add_note(int channel, int key, int64_t step, double duration, double velocity) {
    const double start = time_of(step) + genre_.loose * random_.normal();
    const double loud = velocity + 6 * random_.normal();
    score_.notes.push_back({.start = start,
                            .duration = duration,
                            .channel = channel,
                            .key = key,
                            .velocity = static_cast<int>(std::clamp(std::round(loud), 1.0, 127.0))});
  }

  void add_kit() {
    static constexpr std::array kKits = {0, 8, 16, 25, 32, 40};
    score_.instruments.push_back({.channel = kDrumChannel,
                                  .program = kKits[random_.below(kKits.size())],
                                  .level_db = random_.uniform(-8, 0),
                                  .role = "drums"});
  }

  void add_drums(const Groove& groove) {
    for (const DrumLine& line : groove) {
      const std::string pattern = steps_of(line.pattern);
      const double level = random_.uniform(-12, 0);
      for (int64_t step = section_begin_; step < section_end_; ++step) {
        const char stroke = pattern[static_cast<std::size_t>(step) % pattern.size()];
        if (stroke == '.' || (stroke == '?' && random_.uniform() >= 0.4)) continue;
        const double velocity = stroke == 'X' ? 116 : stroke == 'x' ? 94 : 60;
        add_note(kDrumChannel, line.key, step, 0.2, velocity + level);
      }
    }
  }

  // A pattern without its spaces and bars, whole bars long.
  std::string steps_of(std::string_view pattern) const {
    std::string steps;
    for (const char c : pattern)
      if (c != ' ' && c != '|') steps += c;
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
    const bool leads = genre_.leading_tone && score_.mode == Mode::minor && chord == 4 && degree == 3;
    return scale_tone(score_.mode, chord + degree - 1) + (leads ? 1 : 0);
  }

  // The key of `tone` (semitones above the tonic) in the octave from `lowest` up.
  int fold(int tone, int lowest) const { return lowest + ((score_.tonic + tone - lowest) % 12 + 12) % 12; }

  // What a part carries from note to note within a section.
  struct Line {
    int lowest = 0;
    int melody = 0;  // scale degree of the melody, from 0
    int walk = 0;    // the walking bass's distance from the chord's degree
  };

  // The MIDI keys that the pattern's character `what` stands for at `step`.
  std::vector<int> keys(char what, int64_t step, Line& line) {
    const int chord = chord_at(step);
    const int root = fold(chord_tone(chord, 1), line.lowest);
    switch (what) {
      case 'c': {
        std::vector<int> tones = {root};
        for (const int degree : {3, 5, 7})
          if (degree != 7 || genre_.harmony != Harmony::triads)
            tones.push_back(fold(chord_tone(chord, degree), line.lowest));
        return tones;
      }
      case 'p':
        return {root, root + 7, root + 12};
      case 'm': {
        const int stride = static_cast<int>(random_.below(5)) - 2;
        line.melody = std::clamp(line.melody + (stride == 0 ? 1 : stride), 0, 13);
        return {fold(0, line.lowest) + scale_tone(score_.mode, line.melody)};
      }
      case 'w':
        line.walk = step % genre_.steps_per_bar == 0 ? 0 : line.walk + 1 + static_cast<int>(random_.below(2));
        return {fold(scale_tone(score_.mode, chord + line.walk), line.lowest)};
      case '8':
        return {root + 12};
      default:
        require(what >= '1' && what <= '7', "genre {}: a pattern has an unknown '{}'", genre_.name, what);
        return {fold(chord_tone(chord, what - '0'), line.lowest)};
    }
  }

  void add_part(const Part& part, int channel) {
    // The instrument comes a little before its first note, which may be early.
    score_.instruments.push_back({.start = time_of(section_begin_) - 0.05,
                                  .channel = channel,
                                  .program = pick(part.programs),
                                  .level_db = in(part.level_db),
                                  .role = std::string(part.role)});
    const std::string pattern = steps_of(pick(part.patterns));
    const auto at = [&](int64_t step) { return pattern[static_cast<std::size_t>(step) % pattern.size()]; };
    const double gate = in(part.gate);
    Line line;
    line.lowest = part.lowest + static_cast<int>(random_.below(9)) - 4;
    line.melody = static_cast<int>(random_.below(7));
    for (int64_t step = section_begin_; step < section_end_; ++step) {
      if (at(step) == '.' || at(step) == '-') continue;
      int64_t length = 1;
      while (at(step + length) == '-') ++length;
      const bool on_beat = step % (genre_.steps_per_bar / genre_.quarters_per_bar) == 0;
      for (const int key : keys(at(step), step, line))
        add_note(channel, key, step, gate * step_ * static_cast<double>(length), on_beat ? 100 : 90);
    }
  }

  const Genre& genre_;
  int64_t sections_;
  Generator random_;
  Score score_;
  double swing_ = 0;
  double step_ = 0;  // seconds
  int64_t section_begin_ = 0, section_end_ = 0;
  int64_t steps_ = 0;  // of the clip, with one bar more for the offset
  double offset_ = 0;  // seconds of music before the clip starts
  std::string_view progression_;
  std::size_t first_bar_ = 0;
};

}  // namespace

Score compose(const Genre& genre, const ComposeOptions& options) {
  return Composer(genre, options).compose();
}

}  // namespace melgrad
