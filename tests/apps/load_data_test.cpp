// From a recipe and a data set to samples with labels or targets.
#include "apps/load_data.h"

#include <doctest/doctest.h>

#include <fstream>

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

TEST_CASE("a waveform is (samples, 1), features are (frames, bins, 1)") {
  CHECK(input_shape(59049, 1) == Shape{59049, 1});
  CHECK(input_shape(130, 13) == Shape{130, 13, 1});
}

}  // namespace
}  // namespace melgrad::test
