// The synthetic layouts, read back by the readers of the published ones.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "audio/decode.h"
#include "audio/labels.h"
#include "audio/readers/readers.h"
#include "audio/synth/compose.h"
#include "audio/synth/layouts.h"
#include "audio/synth/tags.h"
#include "kernels/error.h"
#include "kernels/thread_pool.h"
#include "tests/temporary_folder.h"

namespace melgrad {
namespace {

using test::TemporaryFolder;

DataOptions options_for(Reader reader, SplitKind split) {
  DataOptions options;
  options.reader = reader;
  options.split = split;
  return options;
}

std::map<Split, int64_t> split_sizes(const ClipList& list) {
  std::map<Split, int64_t> sizes;
  for (const Clip& clip : list.clips) ++sizes[clip.split];
  return sizes;
}

void check_audio(const ClipList& list, int64_t sample_rate, double seconds) {
  for (const Clip& clip : list.clips) {
    CAPTURE(clip.name);
    const Audio audio = decode(clip.path);
    CHECK(audio.sample_rate == sample_rate);
    CHECK(audio.seconds() == doctest::Approx(seconds).epsilon(0.1));
    CHECK(std::ranges::any_of(audio.samples, [](float sample) { return std::abs(sample) > 0.02F; }));
  }
}

TEST_CASE("synth fma: read as FMA small, eight genres, three splits") {
  const TemporaryFolder folder;
  ThreadPool pool(2);
  synth_fma({.out = folder.path(), .clips = 24, .seed = 1, .seconds = 1}, pool);
  const ClipList list = read_clips(folder.path(), options_for(Reader::fma, SplitKind::official));
  CHECK(list.labels == std::vector<std::string>{"Electronic", "Experimental", "Folk", "Hip-Hop", "Instrumental",
                                                "International", "Pop", "Rock"});
  CHECK(label_counts(list) == std::vector<int64_t>(8, 3));
  CHECK(split_sizes(list) == std::map<Split, int64_t>{{Split::train, 8}, {Split::valid, 8}, {Split::test, 8}});
  check_audio(list, 22050, 1);
}

TEST_CASE("synth mtat: read as MagnaTagATune, a split each") {
  const TemporaryFolder folder;
  ThreadPool pool(2);
  synth_mtat({.out = folder.path(), .clips = 29, .seed = 1, .seconds = 1}, pool);
  const ClipList list = read_clips(folder.path(), options_for(Reader::mtat, SplitKind::official));
  CHECK(list.labels == mtat_tags());
  CHECK(list.clips.size() == 29);
  for (Split split : {Split::train, Split::valid, Split::test}) CHECK(split_sizes(list)[split] >= 1);
  check_audio(list, 16000, 1);
}

TEST_CASE("synth mtat: tags of the vocabulary, at least 60 with examples and counterexamples") {
  std::map<std::string, int64_t> counts;
  const std::set<std::string> known(mtat_tags().begin(), mtat_tags().end());
  const auto styles = mtat_styles();
  constexpr int64_t clips = 280;
  for (int64_t clip = 0; clip < clips; ++clip) {
    const Style& style = styles[static_cast<std::size_t>(clip) % styles.size()];
    Score score = compose(style.genre, {.seconds = 30, .seed = 1, .clip = clip, .sections = 2});
    for (const std::string& tag : tags_of(score, style)) {
      CHECK_MESSAGE(known.contains(tag), tag);
      ++counts[tag];
    }
  }
  int64_t learnable = 0;
  for (const auto& [tag, count] : counts) learnable += count >= 5 && count <= clips - 5;
  MESSAGE(counts.size() << " tags have examples, " << learnable << " at least five of " << clips);
  CHECK(learnable >= 60);
  int64_t top = 0;
  for (const std::string& tag : mtat_top_50()) {
    top += counts.contains(tag) ? 1 : 0;
    if (!counts.contains(tag)) MESSAGE("none of the 50: " << tag);
  }
  CHECK(top >= 48);
}

TEST_CASE("tags follow the score") {
  Score score;
  score.seconds = 10;
  score.tempo = 140;
  score.mastering.peak_db = -2;
  score.instruments = {{.channel = 0, .program = 40, .role = "lead"}, {.channel = 1, .program = 73, .role = "lead"}};
  score.notes = {{.start = 0, .duration = 5, .channel = 0}, {.start = 5, .duration = 0.5, .channel = 1}};
  const Style style{Genre(), "folk"};
  const auto tags = tags_of(score, style);
  for (const char* tag :
       {"folk", "violin", "strings", "no voice", "no drums", "solo", "no piano", "fast", "loud", "happy"})
    CHECK_MESSAGE(tags.contains(tag), tag);
  for (const char* tag : {"flute", "no violin", "drums", "slow", "quiet", "fast beat"}) {
    CHECK_MESSAGE(!tags.contains(tag), tag);
  }
  score.instruments.push_back({.channel = 2, .program = 53, .role = "voice"});
  score.notes.push_back({.start = 0, .duration = 5, .channel = 2, .key = 72});
  score.notes.push_back({.start = 0, .duration = 0.1, .channel = kDrumChannel, .key = 36});
  score.instruments.push_back({.channel = kDrumChannel, .program = 0, .role = "drums"});
  score.tempo = 70;
  const auto sung = tags_of(score, style);
  for (const char* tag : {"female vocal", "vocals", "drums", "slow"}) CHECK_MESSAGE(sung.contains(tag), tag);
  for (const char* tag : {"no voice", "male vocal", "solo", "no drums", "fast"})
    CHECK_MESSAGE(!sung.contains(tag), tag);
  score.notes[2].key = 50;
  CHECK(tags_of(score, style).contains("male vocal"));
}

TEST_CASE("synth msd-key: 24 keys, clips that change their key left out") {
  const TemporaryFolder folder;
  ThreadPool pool(2);
  synth_msd_key({.out = folder.path(), .clips = 24 * 8, .seed = 1, .seconds = 0.2}, pool);
  DataOptions options = options_for(Reader::msd_key, SplitKind::random_tracks);
  const ClipList list = read_clips(folder.path(), options);
  CHECK(label_counts(list) == std::vector<int64_t>(24, 7));
  CHECK(list.clips[3].name == "1-1/TRSYNTH000003.mp3");
  options.key_confidence = options.mode_confidence = 0;
  CHECK(label_counts(read_clips(folder.path(), options)) == std::vector<int64_t>(24, 8));
}

TEST_CASE("pieces in a key keep to its scale") {
  for (const Genre& genre : key_genres()) {
    for (int clip = 0; clip < 8; ++clip) {
      const Mode mode = clip % 2 == 0 ? Mode::minor : Mode::major;
      const Score score = compose(genre, {.seconds = 20, .seed = 1, .clip = clip, .tonic = 3, .mode = mode});
      CHECK(score.tonic == 3);
      const std::set<int> scale = mode == Mode::major ? std::set{0, 2, 4, 5, 7, 9, 11} : std::set{0, 2, 3, 5, 7, 8, 10};
      int64_t outside = 0, leading = 0, tonic = 0, notes = 0;
      for (const Note& note : score.notes) {
        if (note.channel == kDrumChannel) continue;
        const int degree = (note.key - score.tonic + 120) % 12;
        ++notes;
        leading += degree == 11;
        tonic += degree == 0;
        outside += !scale.contains(degree) && degree != 11;
      }
      // Open fifths of power chords on the second degree may leave the scale; nothing else does.
      CHECK(outside <= notes / 20);
      CHECK(tonic >= notes / 8);
      if (mode == Mode::minor && genre.name == "pop") CHECK(leading > 0);
    }
  }
}

}  // namespace
}  // namespace melgrad
