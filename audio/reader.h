// What a data set holds, before anything is decoded: clips, their labels, and what each is for if that is published.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "audio/data_options.h"

namespace melgrad {

enum class Split : uint8_t { unassigned, train, valid, test };

template <>
inline constexpr EnumNames<Split, 4> enum_names<Split>{
    {{Split::unassigned, "unassigned"}, {Split::train, "train"}, {Split::valid, "valid"}, {Split::test, "test"}}};

struct Clip {
  std::filesystem::path path;
  std::string name;             // within the data set: "blues/blues.00000.wav"
  std::vector<int32_t> labels;  // indices into ClipList::labels, ascending; exactly one unless the list is multi-label
  Split split = Split::unassigned;
};

struct ClipList {
  std::vector<std::string> labels;
  bool multi_label = false;  // whether a clip may have none or several of the labels
  std::vector<Clip> clips;
  std::vector<std::string> ignored;  // names of files and folders that are no part of the set, such as notes
  std::string protocol;  // choices that decide which clips there are, in words, for every figure; may be empty
};

// Reads the layout that `options.reader` names. `folder` is the data set's folder; for `manifest` a CSV file. Clips are
// listed whether or not their files are there. The order of clips and labels is the same on every file system. Throws
// Error, one line that says what is expected, if `folder` is not such a data set.
ClipList read_clips(const std::filesystem::path& folder, const DataOptions& options);

// The layout that a data set shows by the files which that one alone has; folders where there are none of these.
Reader layout_of(const std::filesystem::path& data);

}  // namespace melgrad
