// The folders reader, splits, segments and whole data sets.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include "audio/dataset.h"
#include "audio/readers/readers.h"
#include "audio/segment_reader.h"
#include "audio/split.h"
#include "kernels/philox.h"
#include "kernels/thread_pool.h"
#include "tests/audio/audio_folder.h"

namespace melgrad {
namespace {

using test::AudioFolder;
using test::error_of;
using Names = std::vector<std::string>;

std::vector<float> ramp(int64_t samples) {
  std::vector<float> x;
  for (int64_t i = 0; i < samples; ++i) x.push_back(0.5F * std::sin(1e-4F * static_cast<float>(i * i % 100'000)));
  return x;
}

Names clip_names(const ClipList& list) {
  Names names;
  for (const Clip& clip : list.clips) names.push_back(clip.name);
  return names;
}

TEST_CASE("folders: classes and files in the order of bytes, the rest ignored and listed") {
  const AudioFolder folder;
  for (const char* name : {"b/2.wav", "b/10.WAV", "b/Z.flac", "a/x.mp3", "a/notes.txt", "a/sub/y.wav", "\xc3\xa9/1.ogg",
                           "B/1.au", "empty/readme.md", "top.wav", ".hidden/1.wav", "a/.hidden.wav"})
    folder.write(name, "not audio");
  const ClipList list = read_folders(folder.path());
  CHECK(list.labels == Names{"B", "a", "b", "\xc3\xa9"});
  CHECK(clip_names(list) == Names{"B/1.au", "a/x.mp3", "b/10.WAV", "b/2.wav", "b/Z.flac", "\xc3\xa9/1.ogg"});
  CHECK(list.ignored == Names{"a/notes.txt", "a/sub", "empty/readme.md", "empty", "top.wav"});
  CHECK(list.clips[2].labels == std::vector<int32_t>{2});
  CHECK(list.clips[2].path == folder.path() / "b" / "10.WAV");
  CHECK(list.clips[2].split == Split::unassigned);
}

TEST_CASE("folders: errors say what is expected") {
  const AudioFolder folder;
  CHECK(error_of([&] { read_folders(folder.path() / "nowhere"); }).find("no such folder") != std::string::npos);
  CHECK(error_of([&] { read_folders(folder.write("file.wav", "x")); }).find("not a folder") != std::string::npos);
  const std::string message = error_of([&] { read_folders(folder.path()); });
  CHECK(message.starts_with(folder.path().string() + ": no classes; expected one folder a class"));
  CHECK(message.find('\n') == std::string::npos);
}

TEST_CASE("folders: classes have names that can be printed") {
  for (const char* label : {"caf\xE9", "two\nlines", "\x7F"}) {
    const AudioFolder folder;
    folder.write_audio(std::string(label) + "/a.wav", std::vector<float>(100), 8000);
    CHECK(error_of([&] { read_folders(folder.path()); }).find("rename it") != std::string::npos);
  }
  const AudioFolder folder;
  folder.write_audio("M\xC3\xBCsik/a.wav", std::vector<float>(100), 8000);
  CHECK(read_folders(folder.path()).labels == std::vector<std::string>{"M\xC3\xBCsik"});
}

TEST_CASE("folders: published lists") {
  const AudioFolder folder;
  DataOptions options;
  options.split = SplitKind::lists;
  CHECK(error_of([&] { read_clips(folder.path(), options); }).find("train.txt, valid.txt and test.txt") !=
        std::string::npos);
  folder.write("train_filtered.txt", "rock/2.wav\r\nblues/1.wav\n\n");
  folder.write("valid_filtered.txt", "  rock/1.wav ");
  folder.write("test_filtered.txt", "blues/9.wav\n");
  folder.write("rock/unlisted.wav", "x");
  const ClipList list = read_clips(folder.path(), options);
  CHECK(list.labels == Names{"blues", "rock"});
  CHECK(clip_names(list) == Names{"rock/2.wav", "blues/1.wav", "rock/1.wav", "blues/9.wav"});
  CHECK(list.clips[0].labels == std::vector<int32_t>{1});
  CHECK(list.clips[2].split == Split::valid);
  const SplitIndices split = split_samples(options, 1, list.clips, std::vector<int32_t>{0, 0, 1, 2, 3});
  CHECK(split.train == std::vector<int64_t>{0, 1, 2});
  CHECK(split.valid == std::vector<int64_t>{3});
  CHECK(split.test == std::vector<int64_t>{4});

  folder.write("test_filtered.txt", "rock/2.wav\n");
  CHECK(error_of([&] { read_clips(folder.path(), options); }).find("'rock/2.wav' is listed twice, for train and for") !=
        std::string::npos);
  folder.write("test_filtered.txt", "2.wav\n");
  CHECK(error_of([&] { read_clips(folder.path(), options); }).find("'2.wav' is not a path like class/file.wav") !=
        std::string::npos);
  folder.write("test_filtered.txt", "\n");
  CHECK(error_of([&] { read_clips(folder.path(), options); }).find("test_filtered.txt: has no lines") !=
        std::string::npos);
}

// 3 classes of 5, 6 and 9 clips with 10 segments each.
struct Corpus {
  std::vector<Clip> clips;
  std::vector<int32_t> clip;

  Corpus() {
    for (int32_t i = 0; i < 20; ++i) {
      clips.push_back({"", "", {i < 5 ? 0 : i < 11 ? 1 : 2}, Split::unassigned});
      clip.insert(clip.end(), 10, i);
    }
  }
};

void check_partition(const SplitIndices& split, std::size_t samples) {
  std::set<int64_t> all;
  for (const auto* part : {&split.train, &split.valid, &split.test}) {
    CHECK(std::ranges::is_sorted(*part));
    all.insert(part->begin(), part->end());
  }
  CHECK(all.size() == samples);
  CHECK(split.train.size() + split.valid.size() + split.test.size() == samples);
}

TEST_CASE("split over segments: sizes as scikit-learn's, by seed") {
  const Corpus corpus;
  DataOptions options;
  options.split = SplitKind::random_segments;
  options.test = 0.25;
  options.valid = 0.2;
  const auto clip = std::span(corpus.clip).first(197);
  const SplitIndices split = split_samples(options, 1, corpus.clips, clip);
  check_partition(split, 197);
  CHECK(split.test.size() == 50);   // ceil(49.25)
  CHECK(split.valid.size() == 30);  // ceil(29.4)
  CHECK(split_samples(options, 1, corpus.clips, clip).test == split.test);
  CHECK(split_samples(options, 2, corpus.clips, clip).test != split.test);
}

TEST_CASE("split over tracks: clips whole, every class in every part") {
  const Corpus corpus;
  DataOptions options;
  options.split = SplitKind::random_tracks;
  options.test = 0.25;
  options.valid = 0.2;
  const SplitIndices split = split_samples(options, 1, corpus.clips, corpus.clip);
  check_partition(split, 200);
  std::set<int32_t> seen;
  for (const auto* part : {&split.train, &split.valid, &split.test}) {
    std::set<int32_t> clips, labels;
    for (int64_t i : *part) clips.insert(corpus.clip[static_cast<std::size_t>(i)]);
    for (int32_t one : clips) {
      labels.insert(corpus.clips[static_cast<std::size_t>(one)].labels.front());
      CHECK(seen.insert(one).second);
    }
    CHECK(labels.size() == 3);
  }
  CHECK(split.test.size() == 70);  // ceil(1.25) + ceil(1.5) + ceil(2.25) clips
  CHECK(split_samples(options, 2, corpus.clips, corpus.clip).test != split.test);
  // A class of one clip keeps it for training.
  CHECK(split_samples(options, 1, std::span(corpus.clips).first(1), std::vector<int32_t>(10, 0)).train.size() == 10);
}

TEST_CASE("split: a clip in no list, and a test of everything, are errors") {
  const Corpus corpus;
  DataOptions options;
  options.split = SplitKind::official;
  CHECK(error_of([&] { split_samples(options, 1, corpus.clips, corpus.clip); }).find("has no split") !=
        std::string::npos);
  options.test = 1;
  CHECK_THROWS_AS(validate(options), Error);
}

FrontendOptions small_frontend() {
  FrontendOptions options;
  options.sample_rate = 8000;
  options.n_fft = 256;
  options.hop = 128;
  options.mels = 8;
  options.log = LogScale::none;
  return options;
}

TEST_CASE("segments are analysed each by itself, from the start or the middle") {
  const Frontend frontend(small_frontend());
  DataOptions options;
  options.duration = 1;
  options.segments = 4;
  const std::vector<float> x = ramp(10'000);
  for (CropPosition crop : {CropPosition::start, CropPosition::centre}) {
    options.crop = crop;
    const SegmentFeatures features = analyse_clip(x, frontend, options);
    CHECK(features.segments == 4);
    CHECK(features.frames == 16);
    CHECK(features.dropped == 0);
    const std::size_t start = (crop == CropPosition::centre ? 1000 : 0) + 2 * 2000;
    const std::vector<float> third = frontend.compute(std::span(x).subspan(start, 2000)).values;
    CHECK(std::equal(third.begin(), third.end(), features.values.begin() + 2 * 16 * 8));
  }
}

TEST_CASE("short clips: pieces left out, padded, repeated") {
  const Frontend frontend(small_frontend());
  DataOptions options;
  options.duration = 1;
  options.segments = 4;
  const std::vector<float> x = ramp(5900);  // two pieces and 1,900 samples, which give 15 frames instead of 16
  const SegmentFeatures skipped = analyse_clip(x, frontend, options);
  CHECK(skipped.segments == 2);
  CHECK(skipped.dropped == 2);
  // 1,990 samples still give 16 frames.
  CHECK(analyse_clip(ramp(5990), frontend, options).segments == 3);

  std::vector<float> whole = x;
  whole.resize(8000);
  options.short_clips = ShortClips::pad;
  CHECK(analyse_clip(x, frontend, options).values == analyse_clip(whole, frontend, options).values);
  for (std::size_t i = 5900; i < 8000; ++i) whole[i] = x[i - 5900];
  options.short_clips = ShortClips::repeat;
  CHECK(analyse_clip(x, frontend, options).values == analyse_clip(whole, frontend, options).values);
  CHECK(analyse_clip(std::vector<float>{0.5F}, frontend, options).segments == 4);

  options.short_clips = ShortClips::skip;
  CHECK(error_of([&] { analyse_clip(ramp(1000), frontend, options); }).find("too short: 0.125 s") != std::string::npos);
  options.segments = 100'000;
  CHECK(error_of([&] { analyse_clip(x, frontend, options); }).starts_with("data.duration"));
}

TEST_CASE("a file's part is that of all its samples, resampled or not, whichever part and however short the file") {
  const AudioFolder folder;
  DataOptions options;
  options.duration = 1;
  options.segments = 4;
  for (int64_t length : {100, 7999, 8000, 200'001}) {
    const auto path = folder.write_audio("x.wav", ramp(length), 8000);
    for (int64_t rate : {8000, 11025, 4000}) {
      FrontendOptions frontend_options = small_frontend();
      frontend_options.sample_rate = rate;
      const Frontend frontend(frontend_options);
      const std::vector<float> all = load_samples(path, rate);
      const int64_t wanted = make_cut(frontend, options).clip_samples(), n = static_cast<int64_t>(all.size());
      for (CropPosition crop : {CropPosition::start, CropPosition::centre}) {
        CAPTURE(length);
        CAPTURE(rate);
        options.crop = crop;
        const int64_t start = crop == CropPosition::centre ? std::max<int64_t>(0, n - wanted) / 2 : 0;
        CHECK(load_clip(path, frontend, options) ==
              std::vector(all.begin() + start, all.begin() + std::min(n, start + wanted)));
      }
    }
  }
  // What is not taken is decoded all the same: a file that is cut off is no good.
  std::filesystem::resize_file(folder / "x.wav", 100'000);
  CHECK_THROWS_AS(load_clip(folder / "x.wav", Frontend(small_frontend()), options), Error);
}

// An MP3 without the tag that tells its length: libsndfile then reckons it from the first frame, which is of silence here
// and so far smaller than the others.
std::filesystem::path write_mp3_without_length(const AudioFolder& folder) {
  std::vector<float> samples(16'000);
  Generator random(1, Draw::test);
  for (int i = 0; i < 48'000; ++i) samples.push_back(static_cast<float>(0.1 * random.normal()));
  const auto path = folder.write_audio("x.mp3", samples, 16'000, 1, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III);
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  file.close();
  const std::size_t second = bytes.find(bytes.substr(0, 2), 4);  // frame; the first holds the tag
  REQUIRE(bytes.substr(0, second).find("Xing") != std::string::npos);
  std::ofstream(path, std::ios::binary) << bytes.substr(second);
  return path;
}

TEST_CASE("a file whose header has its length wrong gives the part that its real length makes the middle") {
  const AudioFolder folder;
  const auto path = write_mp3_without_length(folder);
  DataOptions options;
  options.duration = 1;
  options.crop = CropPosition::centre;
  for (const int64_t rate : {16'000, 12'000}) {
    FrontendOptions frontend_options = small_frontend();
    frontend_options.sample_rate = rate;
    const std::vector<float> all = load_samples(path, rate);
    const auto n = static_cast<int64_t>(all.size());
    REQUIRE(AudioStream(path).announced_samples() > 2 * resampled_length(n, rate, 16'000));
    const auto middle = all.begin() + (n - rate) / 2;
    CHECK(load_clip(path, Frontend(frontend_options), options) == std::vector(middle, middle + rate));
  }
}

// All segments of a file, one after the other.
std::vector<std::vector<float>> segments_of(const std::filesystem::path& path, const Frontend& frontend,
                                            const DataOptions& options) {
  std::vector<std::vector<float>> segments(1);
  for (SegmentReader reader(path, frontend, options); reader.next(segments.back());) segments.emplace_back();
  segments.pop_back();
  return segments;
}

TEST_CASE("whole files in pieces of the same length, each with the features of its samples") {
  const AudioFolder folder;
  DataOptions options;
  options.duration = 1;
  options.segments = 4;
  for (const int64_t rate : {8000, 11'025}) {
    FrontendOptions frontend_options = small_frontend();
    frontend_options.sample_rate = rate;
    const Frontend frontend(frontend_options);
    const auto piece = static_cast<std::size_t>(make_cut(frontend, options).segment_samples);
    for (const int64_t length : {20'000, 21'000, 200'001, 2000}) {
      CAPTURE(length);
      const auto path = folder.write_audio("x.wav", ramp(length), 8000);
      const std::vector<float> all = load_samples(path, rate);
      const auto segments = segments_of(path, frontend, options);
      REQUIRE(segments.size() == all.size() / piece);
      for (std::size_t i = 0; i < segments.size(); ++i)
        CHECK(segments[i] == frontend.compute(std::span(all).subspan(i * piece, piece)).values);
    }
  }
  const Frontend frontend(small_frontend());
  // So little is missing from a frame's worth that the number of frames is the same.
  CHECK(segments_of(folder.write_audio("x.wav", ramp(3999), 8000), frontend, options).size() == 2);
  const auto path = folder.write_audio("x.wav", ramp(500), 8000);
  CHECK(error_of([&] { segments_of(path, frontend, options); }).starts_with(path.string() + ": too short"));
  options.short_clips = ShortClips::pad;
  std::vector<float> padded = load_samples(path, 8000);
  padded.resize(2000);
  CHECK(segments_of(path, frontend, options) == std::vector<std::vector<float>>{frontend.compute(padded).values});
}

// Two classes with two good clips each and every kind of bad file.
void write_corpus(const AudioFolder& folder) {
  folder.write_audio("a/1.wav", ramp(8000), 8000);
  folder.write_audio("a/2.flac", ramp(22050), 22050, 1, SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  folder.write_audio("b/1.wav", ramp(16000), 8000, 2);
  folder.write_audio("b/3.wav", ramp(6500), 8000);
  folder.write("a/0.wav", "text");
  folder.write("b/2.mp3", "");
  folder.write_audio("b/4.wav", std::vector<float>(9000, NAN), 8000);
  folder.write_audio("b/5.wav", std::vector<float>(1, 0.5F), 8000);
  folder.write_audio("b/6.wav", std::vector<float>(9000, 1e30F), 8000);
}

TEST_CASE("a data set: good clips in order, bad ones named, any number of threads") {
  const AudioFolder folder;
  write_corpus(folder);
  DataOptions options;
  options.duration = 1;
  options.segments = 2;
  const ClipList list = read_clips(folder.path(), options);
  const Frontend frontend(small_frontend());
  ThreadPool one(1), three(3);
  int64_t calls = 0;
  const FeatureSet set = compute_features(list, frontend, options, one, [&](int64_t done, int64_t total) {
    CHECK(done == ++calls);
    CHECK(total == 9);
  });
  CHECK(calls == 9);
  CHECK(set.clips.size() == 4);
  CHECK(set.segments() == 7);
  CHECK(set.dropped_segments == 1);
  CHECK(set.labels(3) == std::vector<int32_t>{0});
  CHECK(set.labels(4) == std::vector<int32_t>{1});
  CHECK(set.clip == std::vector<int32_t>{0, 0, 1, 1, 2, 2, 3});
  CHECK(static_cast<int64_t>(set.values().size()) == set.segments() * set.frames * set.bins);
  CHECK(std::ranges::all_of(set.values(), [](float value) { return std::isfinite(value); }));
  Names skipped;
  for (const SkippedClip& clip : set.skipped) {
    skipped.push_back(clip.name);
    CHECK(clip.reason.find('\n') == std::string::npos);
    CHECK_FALSE(clip.reason.empty());
  }
  CHECK(skipped == Names{"a/0.wav", "b/2.mp3", "b/4.wav", "b/5.wav", "b/6.wav"});
  CHECK(set.skipped[1].reason == "the file is empty; replace or remove it");
  const FeatureSet again = compute_features(list, frontend, options, three);
  CHECK(again.values() == set.values());
  CHECK(again.skipped.size() == set.skipped.size());
}

TEST_CASE("a data set without one usable clip is an error") {
  const AudioFolder folder;
  folder.write("a/0.wav", "text");
  ThreadPool pool(1);
  const std::string message =
      error_of([&] { compute_features(read_clips(folder.path(), {}), Frontend(small_frontend()), {}, pool); });
  CHECK(message.starts_with("none of the 1 clips can be used; the first, a/0.wav: "));
}

}  // namespace
}  // namespace melgrad
