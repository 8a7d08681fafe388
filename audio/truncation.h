// Whether an audio file is shorter than its header says. libsndfile takes what is there and does not tell.
#pragma once

#include <cstdint>
#include <filesystem>

namespace melgrad {

// `format`, `promised_frames`: libsndfile's SF_INFO::format and ::frames; `frames`: how many could be read. Throws
// Error naming the file if it was cut off. Headers that leave the length open (a recording streamed to a pipe) promise
// nothing.
void check_complete(const std::filesystem::path& path, int format, int64_t promised_frames, int64_t frames);

}  // namespace melgrad
