// The [data] keys of a recipe: which clips a data set has, how they are cut, and what each is for.
#pragma once

#include <cstdint>
#include <string>

#include "kernels/options.h"

namespace melgrad {

enum class Reader : uint8_t { folders, arrays };
enum class Crop : uint8_t { start, centre };
enum class ShortClips : uint8_t { skip, pad, repeat };
enum class SplitKind : uint8_t { random_segments, random_tracks, lists };

template <>
inline constexpr EnumNames<Reader, 2> enum_names<Reader>{{{Reader::folders, "folders"}, {Reader::arrays, "arrays"}}};
template <>
inline constexpr EnumNames<Crop, 2> enum_names<Crop>{{{Crop::start, "start"}, {Crop::centre, "centre"}}};
template <>
inline constexpr EnumNames<ShortClips, 3> enum_names<ShortClips>{
    {{ShortClips::skip, "skip"}, {ShortClips::pad, "pad"}, {ShortClips::repeat, "repeat"}}};
template <>
inline constexpr EnumNames<SplitKind, 3> enum_names<SplitKind>{{{SplitKind::random_segments, "random-segments"},
                                                                {SplitKind::random_tracks, "random-tracks"},
                                                                {SplitKind::lists, "lists"}}};

struct DataOptions {
  std::string cache = "none";  // a folder, or "none"
  Reader reader = Reader::folders;
  double duration = 30;                        // seconds of each clip that are used
  int64_t segments = 1;                        // equal pieces that they are cut into
  Crop crop = Crop::start;                     // which part of a longer clip
  ShortClips short_clips = ShortClips::skip;   // key `short`. skip: pieces that a shorter clip does not fill are left
                                               // out; pad: with zeros at the end; repeat: the clip from its start
  SplitKind split = SplitKind::random_tracks;  // see audio/split.h
  double test = 0.2;                           // fraction of all
  double valid = 0.2;                          // fraction of what the test leaves

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("cache", self.cache);
    field("reader", self.reader);
    field("duration", self.duration);
    field("segments", self.segments);
    field("crop", self.crop);
    field("short", self.short_clips);
    field("split", self.split);
    field("test", self.test);
    field("valid", self.valid);
  }
  bool operator==(const DataOptions&) const = default;
};

// Throws Error naming the key for values that make no sense.
void validate(const DataOptions& options);

}  // namespace melgrad
