// The `folders` data set: one folder a class, as GTZAN comes: DIR/<class>/<file>.
#pragma once

#include <filesystem>
#include <string_view>

#include "audio/reader.h"

namespace melgrad {

// Every file with an audio extension in every folder of DIR. Classes and files are in the order of their names' bytes,
// whatever the file system's; hidden ones are passed over. Files without an audio extension, folders within classes and
// classes without audio are listed as ignored. Throws Error if there is no class.
ClipList read_folders(const std::filesystem::path& folder);

// The clips that DIR/{train,valid,test}.txt name, one path relative to DIR a line, in that order; or, where these are
// not there, GTZAN's DIR/{train,valid,test}_filtered.txt (Kereliuk, Sturm and Larsen, "Deep learning and music
// adversaries", 2015). A path's first folder is its class. Throws Error if a list is missing or empty, a line has no
// folder, or a clip is named twice (it would be trained on and tested with).
ClipList read_listed_folders(const std::filesystem::path& folder);

// By extension, in any case: what libsndfile reads.
bool has_audio_extension(const std::filesystem::path& path);

}  // namespace melgrad
