// Synthetic music sets in the layouts of published ones, so that every path runs where the data is not to be had. What
// is labelled was rendered: genres, keys and tags come from the scores.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

namespace melgrad {

class ThreadPool;

struct SynthOptions {
  std::filesystem::path out;
  int64_t clips = 400;  // in all, dealt to the classes in turn
  uint64_t seed = 1;
  double seconds = 30;
};

// Called after each clip, from the thread that rendered it but never by two at once.
using SynthProgress = std::function<void(int64_t done, int64_t total)>;

// For all: clip i is the same however many threads `pool` has, and whatever `clips` is. Files of the same name are
// overwritten, others are left. Throws Error when there is no soundfont or a file cannot be written, naming it.

// DIR/<genre>/<genre>.00000.wav, as GTZAN names its files: ten genres, mono 16 bit, 22,050 Hz.
void synth_folders(const SynthOptions& options, ThreadPool& pool, const SynthProgress& progress = {});

// DIR/fma_metadata/tracks.csv and DIR/fma_small/000/000002.mp3: eight genres, each with training, validation and test
// tracks from the third on (80, 10 and 10 of 100 of many); mono MP3, 22,050 Hz.
void synth_fma(const SynthOptions& options, ThreadPool& pool, const SynthProgress& progress = {});

// DIR/annotations_final.csv with all 188 tags and DIR/0 … DIR/f; the tags that the scores justify (tags.h) are set.
// Every folder is used from the sixteenth clip on; mono MP3, 16 kHz, as MagnaTagATune has it.
void synth_mtat(const SynthOptions& options, ThreadPool& pool, const SynthProgress& progress = {});

// DIR/keys.csv and DIR/<key>-<mode>/<track>.mp3: the 24 keys in turn. One clip of eight goes to another key in the
// middle; its confidences are below 0.75, so that readers leave it out. Mono MP3, 22,050 Hz.
void synth_msd_key(const SynthOptions& options, ThreadPool& pool, const SynthProgress& progress = {});

}  // namespace melgrad
