// Features of a signal in pieces are those of the whole, bit for bit, and what is kept of it stays small.
#include "audio/feature_stream.h"

#include <doctest/doctest.h>

#include "audio/decode.h"
#include "audio/resample.h"
#include "audio/segments.h"
#include "kernels/philox.h"
#include "tests/audio/audio_folder.h"

namespace melgrad {
namespace {

std::vector<float> noise(int64_t samples) {
  Generator random(5, Draw::weights, 0);
  std::vector<float> x;
  for (int64_t i = 0; i < samples; ++i) x.push_back(static_cast<float>(random.uniform() - 0.5));
  return x;
}

// Pieces of these sizes, over and over.
template <class Body>
void in_pieces(std::span<const float> samples, const std::vector<std::size_t>& sizes, const Body& body) {
  for (std::size_t at = 0, i = 0; at < samples.size(); ++i) {
    const std::size_t size = std::min(sizes[i % sizes.size()], samples.size() - at);
    body(samples.subspan(at, size));
    at += size;
  }
}

const std::vector<std::vector<std::size_t>> piece_sizes{{1}, {7, 4096, 1}, {65536}, {1000000}};

TEST_CASE("a resampled signal does not depend on its pieces") {
  const std::vector<float> x = noise(20011);
  for (auto [from, to] : {std::pair<int64_t, int64_t>{44100, 22050}, {8000, 22050}, {44100, 12000}, {48000, 48000}}) {
    CAPTURE(from);
    const std::vector<float> whole = resample(x, from, to);
    for (const auto& sizes : piece_sizes) {
      Resampler resampler(from, to);
      std::vector<float> parts;
      in_pieces(x, sizes, [&](std::span<const float> piece) { resampler.push(piece, parts); });
      resampler.finish(parts);
      CHECK(parts == whole);
    }
  }
}

TEST_CASE("every preset's bands in pieces are those of the whole") {
  for (const FrontendPreset& preset : frontend_presets()) {
    CAPTURE(preset.name);
    FrontendOptions options = preset.options;
    if (options.frames > 0) options.frames = 20;
    const Frontend frontend(options);
    for (int64_t length : {options.n_fft + 1, 3 * options.n_fft + 5, int64_t{70001}}) {
      const std::vector<float> x = noise(length);
      if (frontend.band_frames_for(length) == 0) continue;
      CAPTURE(length);
      std::vector<float> whole(static_cast<std::size_t>(frontend.band_frames_for(length) * frontend.bands()));
      frontend.compute_bands({x, 0, length}, 0, frontend.band_frames_for(length), whole);
      for (const auto& sizes : piece_sizes) {
        if (sizes.front() == 1 && options.kind == FeatureKind::waveform) continue;  // slow, and the same code
        std::vector<float> parts;
        BandStream stream(frontend, [&](const Features& bands) {
          parts.insert(parts.end(), bands.values.begin(), bands.values.end());
        });
        in_pieces(x, sizes, [&](std::span<const float> piece) { stream.push(piece); });
        stream.finish();
        CHECK(parts == whole);
        CHECK(stream.largest() == *std::max_element(whole.begin(), whole.end()));
      }
    }
  }
}

TEST_CASE("a file's features as a stream are those of the file") {
  const test::AudioFolder folder;
  const std::vector<float> x = noise(60000);
  const auto path = folder.write_audio("long.wav", x, 16000);
  for (const FrontendPreset& preset : frontend_presets()) {
    CAPTURE(preset.name);
    FrontendOptions options = preset.options;
    if (options.frames > 0) options.frames = 20;
    const Frontend frontend(options);
    const Features whole = frontend.compute(load_samples(path, options.sample_rate));
    std::vector<float> parts;
    const int64_t frames = stream_features(path, frontend, [&](const Features& features) {
      CHECK(features.bins == whole.bins);
      parts.insert(parts.end(), features.values.begin(), features.values.end());
    });
    CHECK(frames == whole.frames);
    CHECK(parts == whole.values);
  }
}

TEST_CASE("errors of a stream name the file") {
  const test::AudioFolder folder;
  const auto path = folder.write_audio("short.wav", noise(40000), 22050);
  FrontendOptions options = frontend_preset("fma-mel");
  CHECK(test::error_of([&] { stream_features(path, Frontend(options), [](const Features&) {}); }) ==
        path.string() + ": too short: 40000 samples at 22050 Hz do not give 1024 frames");
}

}  // namespace
}  // namespace melgrad
