// Inputs of `predict`: audio files, folders of them, and features made elsewhere.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/config.h"
#include "apps/samples.h"

namespace melgrad {

// Files as they are; of a folder every audio file and .npy in it and below, and every .png where the network reads key
// spectrograms, sorted. Throws Error for a folder without.
std::vector<std::string> expand_inputs(const std::vector<std::string>& paths, const Config& config);

// A file's segments of the shape that the network takes, as file_segments() (apps/load_data.h) for audio. Features in
// .npy are (frames, bins), or (samples) of a waveform: cut into pieces of the network's length, one after the other; a
// last one that is not full is dropped. A picture in .png is a key spectrogram (audio/key_spectrogram.h). Throws Error naming the file.
Samples input_segments(const std::filesystem::path& path, const Config& config);

}  // namespace melgrad
