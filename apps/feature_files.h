// Features of audio files as files: F.npy (frames, bins) float32, with what made it in F.toml beside it, or a picture.
//
// F.toml has the frontend's keys, a table [data] where only a part of the file is taken, and a table [source] with the audio file's size and time of last change. With it an
// output is known to be that of this file and these parameters, and need not be made again.
#pragma once

#include <filesystem>
#include <optional>

#include "audio/data_options.h"
#include "audio/device_frontend.h"
#include "audio/frontend.h"

namespace melgrad {

// The part of each file that is taken: duration, crop and short of the [data] keys; nothing: whole files. A shorter file
// with short = skip is taken as it is.
using FilePart = std::optional<DataOptions>;

// `out` ends in .npy, or in .png. Of a whole file the .npy is written piece by piece, whatever the length of the
// recording. Throws Error naming the audio file.
void write_features(const std::filesystem::path& audio, const std::filesystem::path& out, const Frontend& frontend,
                    const FilePart& part);
// The same of a whole file by a device's kernels; all of its samples are loaded at once.
void write_features(const std::filesystem::path& audio, const std::filesystem::path& out, const Frontend& frontend,
                    const DeviceFrontend& on_device, Device device);

// Whether `out` is there, a .npy, and F.toml says that it was made of this file, as it is now, with these parameters.
bool features_are_current(const std::filesystem::path& audio, const std::filesystem::path& out,
                          const FrontendOptions& options, const FilePart& part);

// Throws Error naming the key where F.toml, if there is one of melgrad beside `features`, tells of another frontend:
// features that differ by a hair from those that a network was trained on fail silently.
void check_frontend_of(const std::filesystem::path& features, const FrontendOptions& options);

}  // namespace melgrad
