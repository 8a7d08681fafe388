// One function a published layout; read_clips() chooses. What they have in common is at the end.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "audio/reader.h"

namespace melgrad {

// DIR/<class>/<file>, as GTZAN comes: every file with an audio extension in every folder of DIR. Classes and files are
// in the order of their names' bytes, whatever the file system's; hidden ones are passed over. Files without an audio
// extension, folders within classes and classes without audio are listed as ignored. Throws Error if there is no class.
ClipList read_folders(const std::filesystem::path& folder);

// The clips that DIR/{train,valid,test}.txt name, one path relative to DIR a line, in that order; or, where these are
// not there, GTZAN's DIR/{train,valid,test}_filtered.txt (Kereliuk, Sturm and Larsen, "Deep learning and music
// adversaries", 2015). A path's first folder is its class. Throws Error if a list is missing or empty, a line has no
// folder, or a clip is named twice (it would be trained on and tested with).
ClipList read_listed_folders(const std::filesystem::path& folder);

// FMA (Defferrard, Benzi, Vandergheynst and Bresson, "FMA: a dataset for music analysis", ISMIR 2017):
// DIR/fma_metadata/tracks.csv and DIR/fma_<subset>/000/000002.mp3. The label is track.genre_top, labels are sorted, the
// split is set.split. Tracks without a top genre (large and full have some) are left out.
ClipList read_fma(const std::filesystem::path& folder, const DataOptions& options);

// MagnaTagATune (Law, West, Mandel, Bay and Downie, "Evaluation of algorithms using games", ISMIR 2009):
// DIR/annotations_final.csv and DIR/0 … DIR/f with its MP3 files. Labels are the tags in the file's order, or the 50
// most frequent (data.labels = top-50). split = official: folders 0 to b train, c validates, d to f test; lists:
// DIR/{train,valid,test}.txt with a path a line, other clips being left out.
ClipList read_mtat(const std::filesystem::path& folder, const DataOptions& options);

// Million Song Dataset keys: DIR/*.csv with columns track_id, key (0 is C), key_confidence, mode (0 minor, 1 major) and
// mode_confidence; DIR/<key>-<mode>/<track_id>.<extension> audio, or the key spectrogram as .png. Labels are the 24
// keys, "C minor", "C major", "C# minor", …: label 2 · key + mode.
ClipList read_msd_key(const std::filesystem::path& folder, const DataOptions& options);
std::vector<std::string> key_labels();

// A user's own data: a CSV with columns path, labels (separated by ;) and perhaps split (train, valid or test). Paths
// are relative to the CSV's folder. Labels are sorted. The set is multi-label if a row has none or several.
ClipList read_manifest(const std::filesystem::path& csv);

// The vocabularies of MagnaTagATune: all 188 tags in the order of annotations_final.csv, and the 50 most frequent,
// rarest first.
const std::vector<std::string>& mtat_tags();
const std::vector<std::string>& mtat_top_50();

// By extension, in any case: what libsndfile reads.
bool has_audio_extension(const std::filesystem::path& path);
// Throws Error if there is no such folder; `expected` says what should be in it.
void check_data_folder(const std::filesystem::path& folder, std::string_view expected);
// Entries sorted by the bytes of their names, without hidden ones.
std::vector<std::filesystem::directory_entry> sorted_entries(const std::filesystem::path& folder);
// Lines without blanks around them; empty ones are left out. Throws Error if the file cannot be read or has none.
std::vector<std::string> read_lines(const std::filesystem::path& file, std::string_view of_what);
// A configuration, JSON and pictures hold labels: throws Error for one that is not UTF-8 or has control characters.
void check_label(const std::string& label, const std::string& where);

}  // namespace melgrad
