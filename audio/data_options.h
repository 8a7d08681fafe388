// The [data] keys of a recipe: which clips a data set has, how they are cut, and what each is for.
#pragma once

#include <cstdint>
#include <string>

#include "kernels/options.h"

namespace melgrad {

enum class Reader : uint8_t { folders, fma, mtat, msd_key, manifest, arrays };
enum class CropPosition : uint8_t { start, centre, random };
enum class ShortClips : uint8_t { skip, pad, repeat };
enum class SplitKind : uint8_t { random_segments, random_tracks, lists, official };
enum class Untagged : uint8_t { drop, keep };

template <>
inline constexpr EnumNames<Reader, 6> enum_names<Reader>{{{Reader::folders, "folders"},
                                                          {Reader::fma, "fma"},
                                                          {Reader::mtat, "mtat"},
                                                          {Reader::msd_key, "msd-key"},
                                                          {Reader::manifest, "manifest"},
                                                          {Reader::arrays, "arrays"}}};
template <>
inline constexpr EnumNames<CropPosition, 3> enum_names<CropPosition>{
    {{CropPosition::start, "start"}, {CropPosition::centre, "centre"}, {CropPosition::random, "random"}}};
template <>
inline constexpr EnumNames<ShortClips, 3> enum_names<ShortClips>{
    {{ShortClips::skip, "skip"}, {ShortClips::pad, "pad"}, {ShortClips::repeat, "repeat"}}};
template <>
inline constexpr EnumNames<SplitKind, 4> enum_names<SplitKind>{{{SplitKind::random_segments, "random-segments"},
                                                                {SplitKind::random_tracks, "random-tracks"},
                                                                {SplitKind::lists, "lists"},
                                                                {SplitKind::official, "official"}}};
template <>
inline constexpr EnumNames<Untagged, 2> enum_names<Untagged>{{{Untagged::drop, "drop"}, {Untagged::keep, "keep"}}};

struct DataOptions {
  std::string cache = "none";  // a folder, or "none"
  Reader reader = Reader::folders;
  double duration = 30;  // seconds of each clip that are used
  int64_t segments = 1;  // equal pieces that they are cut into
  CropPosition crop = CropPosition::
      start;  // which part of a longer clip; random: in training each segment is drawn anew in every epoch,
              // anywhere in the clip; elsewhere the centre
  ShortClips short_clips = ShortClips::skip;   // key `short`. skip: pieces that a shorter clip does not fill are left
                                               // out; pad: with zeros at the end; repeat: the clip from its start
  SplitKind split = SplitKind::random_tracks;  // see audio/split.h; official: as the data set itself says
  double test = 0.2;                           // fraction of all
  double valid = 0.2;                          // fraction of what the test leaves
  std::string labels = "all";     // all, top-50 (mtat), or a file with one name a line: which labels, in which order
  std::string folders = "all";    // mtat: which of its folders, such as "f" or "0-b"
  std::string synonyms = "none";  // mtat: a file of lines "tag: synonym, synonym"; these count as the tag
  Untagged untagged = Untagged::drop;  // clips that have none of the labels, where a clip may have several
  std::string subset = "small";        // fma: small, medium, large or full
  double key_confidence = 0.75;        // msd-key: clips below are left out
  double mode_confidence = 0.75;       // likewise

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
    field("labels", self.labels);
    field("folders", self.folders);
    field("synonyms", self.synonyms);
    field("untagged", self.untagged);
    field("subset", self.subset);
    field("key_confidence", self.key_confidence);
    field("mode_confidence", self.mode_confidence);
  }
  bool operator==(const DataOptions&) const = default;
};

// Throws Error naming the key for values that make no sense.
void validate(const DataOptions& options);

}  // namespace melgrad
