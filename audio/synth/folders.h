// The `folders` layout of a synthetic music set: DIR/<genre>/<genre>.00000.wav, as GTZAN names its files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

namespace melgrad {

class ThreadPool;

struct SynthFoldersOptions {
  std::filesystem::path out;
  int64_t clips = 400;  // in all, dealt to the genres in turn
  uint64_t seed = 1;
  double seconds = 30;
  int64_t sample_rate = 22050;  // Hz
};

// Called after each clip, from the thread that rendered it but never by two at once.
using SynthProgress = std::function<void(int64_t done, int64_t total)>;

// Renders the set: mono 16-bit WAV files. Clip i is the same whatever `clips` is and however many threads `pool` has.
// Files of the same name are overwritten, others are left. Throws Error when there is no soundfont or a file cannot be
// written, naming it.
void synth_folders(const SynthFoldersOptions& options, ThreadPool& pool, const SynthProgress& progress = {});

}  // namespace melgrad
