#include "audio/synth/soundfont.h"

#include <fluidsynth.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>

#include "audio/synth/mastering.h"
#include "kernels/error.h"

namespace melgrad {
namespace {

// FluidSynth starts and stops voices at the edges of its 64-sample blocks only, so events are rounded to them here,
// where it can be seen. 64 samples are 2.9 ms at 22,050 Hz.
constexpr int64_t kBlock = 64;

thread_local std::string last_message;

void keep_message(int /*level*/, const char* message, void* /*data*/) {
  last_message = message;
}

// FluidSynth prints to stderr; an error's text belongs in the Error.
void capture_messages() {
  fluid_set_log_function(FLUID_PANIC, keep_message, nullptr);
  fluid_set_log_function(FLUID_ERR, keep_message, nullptr);
  fluid_set_log_function(FLUID_WARN, nullptr, nullptr);
  fluid_set_log_function(FLUID_INFO, nullptr, nullptr);
}

template <auto function>
struct Deleter {
  template <class T>
  void operator()(T* pointer) const {
    function(pointer);
  }
};
using Settings = std::unique_ptr<fluid_settings_t, Deleter<delete_fluid_settings>>;
using Synth = std::unique_ptr<fluid_synth_t, Deleter<delete_fluid_synth>>;

// Declared in the order in which they happen within a block: a repeated key is ended before it is struck anew.
enum class Action { end, change, strike };

struct Event {
  int64_t block = 0;
  Action action = Action::end;
  const Note* note = nullptr;              // of end and strike
  const Instrument* instrument = nullptr;  // of change
};

// In the order of time, then of Action, then of the score.
std::vector<Event> events_of(const Score& score, int64_t sample_rate) {
  const auto block_at = [&](double seconds) {
    return static_cast<int64_t>(std::llround(seconds * static_cast<double>(sample_rate) / kBlock));
  };
  std::vector<Event> events;
  events.reserve(2 * score.notes.size() + score.instruments.size());
  for (const Instrument& instrument : score.instruments)
    events.push_back({std::max<int64_t>(0, block_at(instrument.start)), Action::change, nullptr, &instrument});
  for (const Note& note : score.notes) {
    require(note.channel >= 0 && note.channel < 16 && note.key >= 0 && note.key < 128 && note.velocity > 0 &&
                note.velocity < 128,
            "render: note with channel {}, key {}, velocity {} is outside MIDI's 0-15, 0-127, 1-127", note.channel,
            note.key, note.velocity);
    const double end = note.start + note.duration;
    if (end <= 0 || note.start >= score.seconds) continue;
    const int64_t on = std::max<int64_t>(0, block_at(note.start));
    events.push_back({on, Action::strike, &note, nullptr});
    events.push_back({std::max(on + 1, block_at(end)), Action::end, &note, nullptr});
  }
  std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return a.block != b.block ? a.block < b.block : a.action < b.action;
  });
  return events;
}

void change_instrument(fluid_synth_t* synth, const Instrument& instrument) {
  constexpr int kVolume = 7;
  require(fluid_synth_program_change(synth, instrument.channel, instrument.program) == FLUID_OK,
          "render: channel {} takes no program {}", instrument.channel, instrument.program);
  // General MIDI's volume is 40 log10(value / 127) dB.
  const double value = 127 * std::pow(10.0, std::min(0.0, instrument.level_db) / 40);
  fluid_synth_cc(synth, instrument.channel, kVolume, static_cast<int>(std::lround(value)));
}

void perform(fluid_synth_t* synth, const Event& event) {
  switch (event.action) {
    case Action::end:
      // Fails, rightly, where the voice has died away already.
      fluid_synth_noteoff(synth, event.note->channel, event.note->key);
      break;
    case Action::change:
      change_instrument(synth, *event.instrument);
      break;
    case Action::strike:
      fluid_synth_noteon(synth, event.note->channel, event.note->key, event.note->velocity);
      break;
  }
}

// Members are destroyed from the last: a synth before the settings it refers to.
struct Engine {
  Settings settings;
  Synth synth;
};

Engine make_engine(const RenderOptions& options) {
  // FluidSynth fills its tables when the first engine is made, without a lock.
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  capture_messages();
  Engine engine;
  engine.settings.reset(new_fluid_settings());
  fluid_settings_t* settings = engine.settings.get();
  require(settings != nullptr, "FluidSynth made no settings");
  require(fluid_settings_setnum(settings, "synth.sample-rate", static_cast<double>(options.sample_rate)) == FLUID_OK,
          "FluidSynth does not render at {} Hz", options.sample_rate);
  fluid_settings_setnum(settings, "synth.gain", 0.3);
  fluid_settings_setint(settings, "synth.polyphony", 128);
  fluid_settings_setint(settings, "synth.reverb.active", 0);
  fluid_settings_setint(settings, "synth.chorus.active", 0);
  fluid_settings_setint(settings, "synth.threadsafe-api", 0);
  engine.synth.reset(new_fluid_synth(settings));
  require(engine.synth != nullptr, "FluidSynth made no synthesizer: {}", last_message);
  require(fluid_synth_sfload(engine.synth.get(), options.soundfont.c_str(), 1) != FLUID_FAILED,
          "cannot load soundfont {}: {}", options.soundfont.string(), last_message);
  return engine;
}

}  // namespace

std::filesystem::path find_soundfont() {
  if (const char* named = std::getenv("MELGRAD_SOUNDFONT"); named != nullptr && *named != '\0') {
    require(std::filesystem::exists(named), "MELGRAD_SOUNDFONT names {}, which does not exist", named);
    return named;
  }
  const std::array candidates = {
      "/usr/share/sounds/sf2/TimGM6mb.sf2",
      "/usr/share/sounds/sf2/default-GM.sf2",
      "/usr/share/sounds/sf2/FluidR3_GM.sf2",
      "/usr/share/soundfonts/default.sf2",
  };
  for (const char* candidate : candidates)
    if (std::filesystem::exists(candidate)) return candidate;
  fail(
      "no soundfont found: install the Debian package timgm6mb-soundfont, or set MELGRAD_SOUNDFONT to a General MIDI "
      ".sf2 file");
}

std::vector<float> render(const Score& score, const RenderOptions& options) {
  const std::vector<Event> events = events_of(score, options.sample_rate);
  const Engine engine = make_engine(options);
  fluid_synth_t* synth = engine.synth.get();

  const auto length = static_cast<int64_t>(std::llround(score.seconds * static_cast<double>(options.sample_rate)));
  std::vector<float> samples(static_cast<std::size_t>(length));
  std::array<float, kBlock> left, right;
  auto event = events.begin();
  for (int64_t block = 0; block * kBlock < length; ++block) {
    for (; event != events.end() && event->block <= block; ++event) perform(synth, *event);
    require(fluid_synth_write_float(synth, kBlock, left.data(), 0, 1, right.data(), 0, 1) == FLUID_OK,
            "FluidSynth rendered no block: {}", last_message);
    const int64_t begin = block * kBlock;
    for (int64_t i = 0; i < std::min(kBlock, length - begin); ++i) samples[begin + i] = 0.5F * (left[i] + right[i]);
  }
  master(score.mastering, options.sample_rate, samples);
  return samples;
}

}  // namespace melgrad
