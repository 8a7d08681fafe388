// The ten genres of GTZAN as tables: what a composer may draw from for a clip of each (compose.h does the drawing).
//
// Instruments, registers, loudness and equalisation are shared by most genres on purpose: what tells two genres apart
// is what happens within a few seconds (beat, note density, articulation, motion of bass and chords), not the average
// colour of the sound.
//
// A pattern is a string with one character a step, cut into bars by the genre's steps_per_bar; a string of several bars
// goes round. Spaces and | are skipped, so that beats and bars can be seen.
//   drums    X accent   x stroke   o ghost   ? ghost on two of five   . nothing
//   pitched  1 3 5 7 8  that degree of the chord (8: the root an octave up)
//            c          the whole chord         p  its root, fifth and octave
//            m          the next note of a melody     w  the next note of a walking bass
//            -          the note before goes on       .  rest
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "audio/synth/score.h"

namespace melgrad {

struct Range {
  double low = 0;
  double high = 0;
};

struct DrumLine {
  int key = 0;  // General MIDI drum
  std::string_view pattern;
};
using Groove = std::vector<DrumLine>;

struct Part {
  std::string_view role;  // "bass", "chords", "lead"
  std::vector<int> programs;
  std::vector<std::string_view> patterns;
  Range gate{0.9, 0.9};  // share of its written length that a note sounds
  int lowest = 36;       // notes are folded into the octave (melodies: two) from here up
  double presence = 1;   // probability that a clip has this part
  Range level_db{-6, 0};
};

enum class Harmony { triads, sevenths, dominant_sevenths };

struct Genre {
  std::string_view name;
  Range tempo;                 // quarter notes a minute
  int64_t steps_per_bar = 16;  // 16: sixteenth notes; 12: triplets
  int64_t quarters_per_bar = 4;
  Range swing{0, 0};     // delay of every second step, as a share of a step
  double loose = 0.006;  // standard deviation of a note's place in time, s
  double minor = 0.3;    // probability of a minor key
  Harmony harmony = Harmony::triads;
  bool leading_tone = false;                   // whether the fifth degree's chord is major in minor keys
  std::vector<std::string_view> progressions;  // a digit a bar: degrees of the key
  double drums = 1;                            // probability that a clip has drums
  std::vector<Groove> grooves{};
  std::vector<Part> parts{};
};

// In GTZAN's order: blues classical country disco hiphop jazz metal pop reggae rock.
std::span<const Genre> genres();

// FMA small's, in its order: Electronic, Experimental, Folk, Hip-Hop, Instrumental, International, Pop, Rock.
std::span<const Genre> fma_genres();

// Pieces whose harmony makes the key plain: cadences, few tones outside the scale.
std::span<const Genre> key_genres();

}  // namespace melgrad
