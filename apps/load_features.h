// Inputs of `predict`: audio files, folders of them, and features made elsewhere.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "apps/config.h"

namespace melgrad {

// Files as they are; of a folder every audio file and .npy in it and below, and every .png where the network reads key
// spectrograms, sorted. Throws Error for a folder without.
std::vector<std::string> expand_inputs(const std::vector<std::string>& paths, const Config& config);

// Gives the next segment of a file, of the shape that the network takes; false after the last.
using NextSegment = std::function<bool(std::vector<float>& segment)>;

// A file's segments: of audio as audio/segment_reader.h has them. Features in .npy are (frames, bins), or (samples) of a
// waveform: cut into pieces of the network's length, one after the other; a last one that is not full is dropped. A
// picture in .png is a key spectrogram (audio/key_spectrogram.h). It and what it returns throw Error naming the file;
// `config` outlives that.
NextSegment input_segments(const std::filesystem::path& path, const Config& config);

}  // namespace melgrad
