// Score: what is to be heard, as notes in time, and what is known of it (key, tempo, programs) for labels.
//
// A score knows nothing of genres, files or data set layouts: compose.h writes scores, soundfont.h renders them, and
// each layout (folders.h) decides where the sound and its labels go.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace melgrad {

// The MIDI channel that General MIDI keeps for percussion.
inline constexpr int kDrumChannel = 9;

struct Note {
  double start = 0;     // seconds
  double duration = 0;  // seconds
  int channel = 0;      // 0 … 15
  int key = 60;         // MIDI key, 60 is middle C; on kDrumChannel a General MIDI drum
  int velocity = 90;    // 1 … 127
};

// An instrument taking over a channel; notes that sound there go on as they were.
struct Instrument {
  double start = 0;  // seconds; before 0 counts as 0
  int channel = 0;
  int program = 0;      // General MIDI program from 0; on kDrumChannel the number of a kit
  double level_db = 0;  // against the others; at most 0
  std::string role;     // "drums", "bass", "chords", "lead"
};

// The colour of a recording as a whole, so that two clips of one genre sound no more alike in the mean than two records
// of different studios.
struct Mastering {
  double peak_db = -1;      // of full scale, after equalisation
  double low_shelf_db = 0;  // below low_shelf_hz
  double low_shelf_hz = 250;
  struct Bell {
    double db = 0;
    double hz = 1000;  // centre; one octave wide
  };
  std::vector<Bell> bells{};
  double high_shelf_db = 0;  // above high_shelf_hz
  double high_shelf_hz = 4000;
  double noise_db = -90;  // RMS of white noise (tape hiss), of full scale
  uint64_t noise_seed = 0;
};

enum class Mode { major, minor };

struct Score {
  double seconds = 30;  // length of the clip; notes may start before 0 (sounding only what is left) or end after it
  double tempo = 120;   // quarter notes a minute
  int tonic = 0;        // 0 is C … 11 is B
  Mode mode = Mode::major;
  std::string genre;
  std::vector<Instrument> instruments;
  std::vector<Note> notes;  // in any order
  Mastering mastering;
};

}  // namespace melgrad
