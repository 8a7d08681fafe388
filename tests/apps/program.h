// Runs the melgrad program as a user does: arguments, environment, signals; standard output, standard error, exit
// status.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"

namespace melgrad::test {

struct Outcome {
  int status = 0;  // exit status, or 128 + the signal that ended it
  std::string out, err;
};

using Arguments = std::vector<std::string>;
using Environment = std::map<std::string, std::string>;

// `program`: a copy of it elsewhere.
Outcome run_program(const Arguments& arguments, const Environment& environment = {},
                    const std::filesystem::path& program = MELGRAD_PROGRAM);

// Starts the program and leaves it running, its output thrown away.
pid_t start_program(const Arguments& arguments);
int wait_for(pid_t process);  // as Outcome::status

// A `folders` data set of three classes of short tones in noise, which a network learns in a few epochs: half a second
// each at 8 kHz, mono 16-bit WAV.
void make_tone_set(const std::filesystem::path& folder, int clips_per_class);

// A mono 16-bit WAV file of these samples (-1 … 1).
void write_wav(const std::filesystem::path& path, const std::vector<float>& samples, int sample_rate);

// train with the GTZAN recipe fitted to the tone set: tiny, seconds for several epochs. `more` goes behind.
Arguments train_arguments(const std::filesystem::path& data, const std::filesystem::path& out, int epochs,
                          const Arguments& more = {});

std::string file_bytes(const std::filesystem::path& path);

}  // namespace melgrad::test
