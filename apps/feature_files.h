// Features of audio files as files: F.npy (frames, bins) float32, with what made it in F.toml beside it, or a picture.
//
// F.toml has the frontend's keys, and a table [source] with the audio file's size and time of last change. With it an
// output is known to be that of this file and these parameters, and need not be made again.
#pragma once

#include <filesystem>

#include "audio/frontend.h"

namespace melgrad {

// `out` ends in .npy, which is written piece by piece whatever the length of the recording, or in .png. Throws Error
// naming the audio file.
void write_features(const std::filesystem::path& audio, const std::filesystem::path& out, const Frontend& frontend);

// Whether `out` is there, a .npy, and F.toml says that it was made of this file, as it is now, with these parameters.
bool features_are_current(const std::filesystem::path& audio, const std::filesystem::path& out,
                          const FrontendOptions& options);

}  // namespace melgrad
