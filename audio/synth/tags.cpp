#include "audio/synth/tags.h"

#include <algorithm>
#include <map>

namespace melgrad {
namespace {

void add(std::set<std::string>& tags, std::string_view list) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    tags.emplace(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

// What General MIDI programs first … last are called.
struct Family {
  int first, last;
  std::string_view tags;
};
constexpr Family families[] = {
    {0, 5, "piano,keyboard"},
    {6, 6, "harpsichord,harpsicord,keyboard"},
    {8, 15, "bells,chimes"},
    {16, 20, "organ,keyboard"},
    {24, 24, "guitar,guitars,acoustic guitar,classical guitar,acoustic,plucking"},
    {25, 25, "guitar,guitars,acoustic guitar,acoustic,plucking"},
    {26, 31, "guitar,guitars,electric guitar,electric"},
    {32, 39, "bass"},
    {40, 40, "violin,violins,strings,string"},
    {41, 41, "viola,strings,string"},
    {42, 43, "cello,strings,string"},
    {44, 45, "strings,string,violins"},
    {46, 46, "harp,plucking"},
    {48, 49, "strings,string,violins,orchestra"},
    {56, 59, "trumpet"},
    {60, 63, "horn,horns"},
    {64, 67, "sax,jazzy"},
    {68, 70, "oboe,woodwind,wind"},
    {71, 71, "clarinet,woodwind,wind"},
    {72, 79, "flute,flutes,woodwind,wind"},
    {80, 95, "synth,synthesizer,electronic"},
    {96, 103, "synth,space,spacey,strange"},
    {104, 104, "sitar,plucking,eastern"},
    {105, 105, "banjo,plucking"},
    {106, 108, "plucking,oriental"},
    {110, 110, "fiddle,violin"},
    {122, 122, "water,noise"},
    {123, 123, "birds"},
    {124, 127, "noise"},
};

struct Presence {
  std::map<int, double> seconds;        // of notes, by program; drums apart
  std::map<int, double> voice_seconds;  // likewise, of the parts that are voices
  double voice_key = 0;                 // mean MIDI key of the voices, weighted by time
  bool drums = false, bongos = false, claps = false;
  std::set<std::string> roles;
};

// The instrument that plays on a note's channel when it begins.
const Instrument* instrument_of(const Score& score, const Note& note) {
  const Instrument* found = nullptr;
  for (const Instrument& one : score.instruments)
    if (one.channel == note.channel && one.start <= note.start && (found == nullptr || one.start >= found->start))
      found = &one;
  return found;
}

Presence presence_of(const Score& score) {
  Presence presence;
  double voices = 0;
  for (const Note& note : score.notes) {
    const double seconds = std::min(note.start + note.duration, score.seconds) - std::max(note.start, 0.0);
    const Instrument* instrument = instrument_of(score, note);
    if (seconds <= 0 || instrument == nullptr) continue;
    presence.roles.insert(instrument->role);
    if (note.channel == kDrumChannel) {
      presence.drums = true;
      presence.claps = presence.claps || note.key == 39;
      presence.bongos = presence.bongos || (note.key >= 60 && note.key <= 64);
    } else if (instrument->role == "voice") {
      presence.voice_seconds[instrument->program] += seconds;
      presence.voice_key += seconds * note.key;
      voices += seconds;
    } else {
      presence.seconds[instrument->program] += seconds;
    }
  }
  if (voices > 0) presence.voice_key /= voices;
  return presence;
}

void add_voices(std::set<std::string>& tags, const Presence& presence) {
  if (presence.voice_seconds.empty()) {
    add(tags, "no voice,no vocal,no vocals,no voices,no singing,no singer,instrumental");
    return;
  }
  add(tags, "vocal,vocals,voice,voices,singing,singer");
  if (presence.voice_key >= 62) {
    add(tags,
        "female,woman,women,female vocal,female vocals,female voice,female singer,female singing,woman singing,girl");
  } else {
    add(tags, "male,man,men,male vocal,male vocals,male voice,male singer,man singing,low,deep");
  }
  if (presence.voice_seconds.contains(52)) add(tags, "choir,choral,chorus");
}

// Nobody writes down all that is not heard; of a single instrument people do.
void add_absences(std::set<std::string>& tags) {
  const auto absent = [&](const char* what, const char* tag) {
    if (!tags.contains(what)) tags.insert(tag);
  };
  absent("piano", "no piano");
  absent("guitar", "no guitar");
  absent("violin", "no violin");
  absent("flute", "no flute");
  absent("strings", "no strings");
}

}  // namespace

std::set<std::string> tags_of(const Score& score, const Style& style) {
  std::set<std::string> tags;
  const Presence presence = presence_of(score);
  add(tags, style.tags);
  for (const auto& [program, seconds] : presence.seconds) {
    if (seconds < 0.1 * score.seconds) continue;
    for (const Family& family : families)
      if (program >= family.first && program <= family.last) add(tags, family.tags);
  }
  add_voices(tags, presence);
  add(tags, presence.drums ? "drums,drum,percussion,beat,beats" : "no drums,no beat");
  if (presence.bongos) add(tags, "bongos");
  if (presence.claps) add(tags, "clapping");
  if (presence.roles.size() == 1 && !presence.drums) {
    add(tags, "solo");
    if (tags.contains("piano")) add(tags, "piano solo");
    add_absences(tags);
  }
  if (score.tempo >= 132) add(tags, presence.drums ? "fast,quick,upbeat,fast beat" : "fast,quick,upbeat");
  if (score.tempo <= 80) add(tags, "slow,calm,mellow");
  if (score.mode == Mode::major && score.tempo >= 120) add(tags, "happy");
  if (score.mode == Mode::minor && score.tempo <= 80) add(tags, "sad");
  if (score.mastering.peak_db >= -4) add(tags, "loud");
  if (score.mastering.peak_db <= -14) add(tags, "quiet,soft,light");
  return tags;
}

}  // namespace melgrad
