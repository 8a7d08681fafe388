// From a recipe and a data set to samples with labels or targets.
#include "apps/load_data.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "audio/segment_reader.h"
#include "tests/apps/program.h"

namespace melgrad::test {
namespace {

Config small_config() {
  return load_recipe("gtzan-mfcc",
                     {"data.duration=0.5", "data.segments=2", "data.split=official", "data.reader=manifest",
                      "frontend.sample_rate=8000", "frontend.n_fft=256", "frontend.hop=64"});
}

// Six clips of the tone set, the third without a label.
std::filesystem::path write_manifest(const TemporaryFolder& folder) {
  make_tone_set(folder / "audio", 2);
  return folder.write("set.csv",
                      "path,labels,split\n"
                      "audio/high/high.000.wav,high;tone,train\n"
                      "audio/low/low.000.wav,tone;low,train\n"
                      "audio/middle/middle.000.wav,,train\n"
                      "audio/middle/middle.001.wav,tone,valid\n"
                      "audio/low/low.001.wav,low,test\n"
                      "audio/gone.wav,low,test\n");
}

TEST_CASE("a multi-label set gives rows of zeros and ones") {
  const TemporaryFolder folder;
  const auto csv = write_manifest(folder);
  Config config = small_config();
  config.data.untagged = Untagged::keep;
  const LoadedData data = load_data(config, csv);
  CHECK(data.multi_label);
  CHECK(data.labels == std::vector<std::string>{"high", "low", "tone"});
  CHECK(data.train.size() == 6);  // two segments a clip
  CHECK(data.train.labels.empty());
  CHECK(data.train.outputs == 3);
  CHECK(data.train.targets == std::vector<float>{1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0});
  CHECK(data.valid.targets == std::vector<float>{0, 0, 1, 0, 0, 1});
  CHECK(data.test.targets == std::vector<float>{0, 1, 0, 0, 1, 0});
  CHECK(data.skipped.size() == 1);
  CHECK(data.skipped[0].missing);
  CHECK(data.whole_clips);
  CHECK(data.protocol == "official: as the data set says; 1 clips with none of the 3 labels kept");

  config.data.untagged = Untagged::drop;
  CHECK(load_data(config, csv).train.size() == 4);
  config.train.shuffle_labels = true;
  const LoadedData shuffled = load_data(config, csv);
  // Both segments of a clip get the labels of one clip.
  CHECK(std::equal(shuffled.train.targets.begin(), shuffled.train.targets.begin() + 3,
                   shuffled.train.targets.begin() + 3));
  CHECK(shuffled.test.targets == data.test.targets);
}

TEST_CASE("the labels of a run fix the numbers of a data set's") {
  const TemporaryFolder folder;
  const auto csv = write_manifest(folder);
  Config config = small_config();
  config.labels = {"tone", "new", "low", "high"};
  const LoadedData data = load_data(config, csv);
  CHECK(data.labels == config.labels);
  CHECK(data.valid.targets == std::vector<float>{1, 0, 0, 0, 1, 0, 0, 0});
  config.labels = {"tone"};  // the data set has others: its own numbers stay, for the caller to refuse
  CHECK(load_data(config, csv).labels == std::vector<std::string>{"high", "low", "tone"});
}

// 8 kHz resampled to 11,025 gives samples of more than 16 bit, some of them beyond full scale.
TEST_CASE("a waveform network sees the same bits of a file in evaluation and in prediction") {
  const TemporaryFolder folder;
  std::vector<float> square;
  for (int i = 0; i < 8000; ++i) square.push_back(i % 200 < 100 ? 0.999F : -0.999F);
  for (const char* name : {"a/1.wav", "b/1.wav"}) {
    std::filesystem::create_directories((folder / name).parent_path());
    write_wav(folder / name, square, 8000);
  }
  const Config config = load_recipe(
      "samplecnn", {"data.reader=folders", "data.labels=all", "data.split=random-tracks", "data.duration=0.5",
                    "data.segments=2", "data.test=0", "data.valid=0", "frontend.sample_rate=11025"});
  const LoadedData data = load_data(config, folder.path());
  const Frontend frontend(config.frontend);
  SegmentReader file(folder / "a/1.wav", frontend, config.data);
  std::vector<float> segment(static_cast<std::size_t>(data.train.input.numel())), predicted;
  REQUIRE(data.train.size() == 4);
  float peak = 0;
  for (int64_t i = 0; i < 2; ++i) {
    read_input(data.train, i, segment);
    REQUIRE(file.next(predicted));
    CHECK(segment == predicted);
    peak = std::max(peak, *std::ranges::max_element(segment));
  }
  CHECK(peak > 1);
}

TEST_CASE("a key spectrogram is of the whole file, in data sets and in prediction, whatever the duration") {
  const TemporaryFolder folder;
  std::vector<float> x;
  for (int i = 0; i < 22050 * 3; ++i)
    x.push_back(0.5F * std::sin(1e-6F * static_cast<float>(i) * static_cast<float>(i)));
  folder.write("keys.csv", "track_id,key,key_confidence,mode,mode_confidence\na,9,1,1,1\n");
  std::filesystem::create_directories(folder / "9-1");
  write_wav(folder / "9-1/a.wav", x, 22050);
  const std::vector<std::string> all_training{"data.test=0", "data.valid=0"};
  std::vector<std::string> settings = all_training;
  settings.push_back("data.duration=1");
  const Config config = load_recipe("key-spectrogram", settings);
  const std::vector<float> expected =
      Frontend(config.frontend).compute(load_samples(folder / "9-1/a.wav", config.frontend.sample_rate)).values;
  std::vector<float> picture(88 * 88);
  read_input(load_data(config, folder.path()).train, 0, picture);
  CHECK(picture == expected);
  const Frontend frontend(config.frontend);
  SegmentReader whole(folder / "9-1/a.wav", frontend, config.data);
  std::vector<float> predicted;
  CHECK(whole.next(predicted));
  CHECK(predicted == expected);
  CHECK_FALSE(whole.next(predicted));
  // Varied, it is all of the file as well: nothing but the level changes, and the picture has none.
  Config louder = config;
  louder.augment.gain_db = 1e-9;
  load_data(louder, folder.path(), Purpose::training).train.source->draw(0, 1, 0, picture);
  CHECK(picture == expected);
  settings.push_back("data.segments=2");
  CHECK_THROWS_WITH_AS(load_data(load_recipe("key-spectrogram", settings), folder.path()),
                       doctest::Contains("data.segments"), Error);
}

TEST_CASE("a waveform is (samples, 1), features are (frames, bins, 1)") {
  CHECK(input_shape(59049, 1) == Shape{59049, 1});
  CHECK(input_shape(130, 13) == Shape{130, 13, 1});
}

}  // namespace
}  // namespace melgrad::test
