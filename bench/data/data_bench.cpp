// From files to batches: decoding, resampling, and the batches of training; and all the way from a file to tags.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "apps/batch_source.h"
#include "apps/evaluation.h"
#include "apps/load_data.h"
#include "apps/load_features.h"
#include "apps/run_folder.h"
#include "audio/decode.h"
#include "audio/resample.h"
#include "audio/synth/render_set.h"
#include "bench/counters.h"
#include "bench/stopwatch.h"
#include "models/registry.h"

namespace melgrad::bench {
namespace {

constexpr double clip_seconds = 30;
constexpr int64_t clip_rate = 44100;

// Half a minute of chords over noise, so that an MP3 of it has something to encode.
std::vector<float> make_clip() {
  Generator random(1, Draw::test);
  std::vector<float> samples(static_cast<std::size_t>(clip_seconds * clip_rate));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double t = static_cast<double>(i) / clip_rate;
    double value = 0.003 * random.normal();
    for (double hz : {110.0, 164.8, 220.0, 277.2, 440.0, 1318.5, 3520.0})
      value += 0.08 * std::sin(6.283185307179586 * hz * t) * std::exp(-3 * std::fmod(t + hz / 500, 1.7));
    samples[i] = static_cast<float>(value);
  }
  return samples;
}

// The clip as a file, for as long as the program runs.
class ClipFile {
 public:
  explicit ClipFile(const std::string& extension)
      : path_(std::filesystem::temp_directory_path() / fmt::format("melgrad_bench_{}.{}", ::getpid(), extension)) {
    write_audio(path_, make_clip(), clip_rate);
  }
  ~ClipFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

const std::filesystem::path& clip_file(const std::string& extension) {
  static const ClipFile wav("wav"), mp3("mp3");
  return extension == "mp3" ? mp3.path() : wav.path();
}

// Calls `body`, which costs `cost`, until the bench has enough; how many times faster than the music plays.
template <class Body>
void time_clip(benchmark::State& state, const Cost& cost, const Body& body) {
  body();
  const Stopwatch stopwatch;
  for (auto _ : state) body();
  const double seconds = stopwatch.seconds();
  state.counters["x realtime"] = clip_seconds * static_cast<double>(state.iterations()) / seconds;
  add_counters(state, cost, seconds);
}

int64_t bytes_of(const std::vector<float>& samples) {
  return static_cast<int64_t>(samples.size() * sizeof(float));
}
int64_t file_bytes(const std::filesystem::path& path) {
  return static_cast<int64_t>(std::filesystem::file_size(path));
}

void decode_file(benchmark::State& state, const std::string& extension) {
  const std::filesystem::path path = clip_file(extension);
  const Cost cost{0, file_bytes(path) + bytes_of(decode(path).samples)};
  time_clip(state, cost, [&] { benchmark::DoNotOptimize(decode(path).samples.data()); });
}

void resample_clip(benchmark::State& state, int64_t rate) {
  const std::vector<float> samples = make_clip();
  const Cost cost{0, bytes_of(samples) + bytes_of(resample(samples, clip_rate, rate))};
  time_clip(state, cost, [&] { benchmark::DoNotOptimize(resample(samples, clip_rate, rate).data()); });
}

// Features in memory, gathered into shuffled batches.
void batches(benchmark::State& state, const std::string& model, int workers) {
  constexpr int64_t n = 512, batch = 32;
  const ModelDescription& description = find_model(model);
  Samples samples{.input = description.input};
  samples.inputs.resize(static_cast<std::size_t>(n * description.input.numel()), 1.0f);
  for (int32_t i = 0; i < n; ++i) {
    samples.labels.push_back(i % static_cast<int32_t>(description.classes));
    samples.clip.push_back(i);
  }
  BatchSource source(samples, {.augment = {}, .workers = workers}, batch, 1);
  std::vector<int64_t> order(n);
  for (int64_t i = 0; i < n; ++i) order[static_cast<std::size_t>(i)] = (i * 37) % n;
  int64_t epoch = 0, left = 0;
  const Stopwatch stopwatch;
  for (auto _ : state) {
    if (left == 0) {
      source.start(order, epoch++);
      left = n / batch;
    }
    benchmark::DoNotOptimize(source.next(Device::cpu));
    --left;
  }
  const double seconds = stopwatch.seconds();
  state.counters["samples/s"] = static_cast<double>(state.iterations() * batch) / seconds;
  const int64_t bytes = batch * description.input.numel() * static_cast<int64_t>(sizeof(float));
  add_counters(state, {0, 2 * bytes}, seconds);  // read and written
}

Samples segments_of(const std::filesystem::path& path, const Config& config) {
  Samples samples{.input = config.input, .clips = 1};
  std::vector<float> segment;
  for (const NextSegment next = input_segments(path, config); next(segment);) {
    samples.inputs.insert(samples.inputs.end(), segment.begin(), segment.end());
    samples.labels.push_back(0);
    samples.clip.push_back(0);
  }
  return samples;
}

// As melgrad predict does it: decoding, resampling, features, segments, the network; its weights are the initial ones. Counted
// are the network's flops, and the file and the weights read.
void file_to_tags(benchmark::State& state, const std::string& recipe) {
  Config config = load_recipe(recipe, {});
  config.labels.resize(static_cast<std::size_t>(find_model(config.model).classes));
  const std::filesystem::path path = clip_file("mp3");
  const Frontend frontend(config.frontend);
  config.input = input_shape(make_cut(frontend, config.data).frames, frontend.bins());
  Sequential network = build_network(config, Device::cpu);
  const int64_t segments = segments_of(path, config).size();
  const Cost cost{segments * network.flops(config.input),
                  file_bytes(path) + network.parameter_count() * static_cast<int64_t>(sizeof(float))};
  time_clip(state, cost, [&] {
    benchmark::DoNotOptimize(predict(network, segments_of(path, config), config.train.batch).data());
  });
}

template <class Body>
void add(const std::string& name, const Body& body) {
  benchmark::RegisterBenchmark(name.c_str(), body)->UseRealTime()->Unit(benchmark::kMillisecond);
}

[[maybe_unused]] const bool registered = [] {
  for (const std::string extension : {"wav", "mp3"})
    add("data/decode/" + extension, [=](benchmark::State& state) { decode_file(state, extension); });
  for (int64_t rate : {22050, 12000})
    add(fmt::format("data/resample/44100/{}", rate), [=](benchmark::State& state) { resample_clip(state, rate); });
  for (const std::string model : {"gtzan-cnn", "samplecnn", "choi-fcn5"})
    for (int workers : {0, 1})
      add(fmt::format("data/batches/{}/workers:{}", model, workers),
          [=](benchmark::State& state) { batches(state, model, workers); });
  for (const std::string recipe : {"gtzan-mfcc", "samplecnn", "choi-fcn", "key-kw17", "key-spectrogram", "mtat-tagger"})
    add("end-to-end/" + recipe, [=](benchmark::State& state) { file_to_tags(state, recipe); });
  return true;
}();

}  // namespace
}  // namespace melgrad::bench
