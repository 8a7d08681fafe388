// What the layouts have in common: scores in, audio files out.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>

#include "audio/synth/layouts.h"
#include "audio/synth/score.h"

namespace melgrad {

struct Piece {
  std::string file;  // below SynthOptions::out; .wav (16 bit) or .mp3
  Score score;
};

// Renders piece_of(0) … piece_of(options.clips - 1), on several threads, and writes the files; folders are made.
void render_set(const SynthOptions& options, int64_t sample_rate, const std::function<Piece(int64_t clip)>& piece_of,
                ThreadPool& pool, const SynthProgress& progress);

// Mono; the format goes by the extension: .wav or .mp3. Throws Error naming the file.
void write_audio(const std::filesystem::path& file, std::span<const float> samples, int64_t sample_rate);

}  // namespace melgrad
