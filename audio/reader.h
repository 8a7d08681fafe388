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
  std::string name;   // within the data set: "blues/blues.00000.wav"
  int32_t label = 0;  // index into ClipList::labels
  Split split = Split::unassigned;
};

struct ClipList {
  std::vector<std::string> labels;
  std::vector<Clip> clips;
  std::vector<std::string> ignored;  // names of files and folders that are no part of the set, such as notes
};

// Reads the layout that `options.reader` names. Throws Error, one line that says what is expected, if `folder` is not
// such a data set.
ClipList read_clips(const std::filesystem::path& folder, const DataOptions& options);

}  // namespace melgrad
