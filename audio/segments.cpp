#include "audio/segments.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "audio/decode.h"
#include "audio/feature_stream.h"
#include "audio/key_spectrogram.h"
#include "audio/resample.h"
#include "kernels/error.h"

namespace melgrad {
namespace {

SegmentFeatures analyse_pieces(std::span<const float> samples, const Frontend& frontend, const Cut& cut) {
  SegmentFeatures result{.frames = cut.frames, .bins = frontend.bins(), .values = {}};
  for (int64_t piece = 0; piece < cut.segments; ++piece) {
    const auto begin = std::min(samples.size(), static_cast<std::size_t>(piece * cut.segment_samples));
    const auto size = std::min(samples.size() - begin, static_cast<std::size_t>(cut.segment_samples));
    if (frontend.frames_for(static_cast<int64_t>(size)) != cut.frames) {
      ++result.dropped;
      continue;
    }
    const Features features = frontend.compute(samples.subspan(begin, size));
    result.values.insert(result.values.end(), features.values.begin(), features.values.end());
    ++result.segments;
  }
  return result;
}

}  // namespace

std::vector<float> fill_up(std::span<const float> samples, int64_t length, ShortClips policy) {
  std::vector<float> filled(samples.begin(), samples.end());
  const auto wanted = static_cast<std::size_t>(length);
  if (policy == ShortClips::pad) filled.resize(std::max(filled.size(), wanted));
  if (policy == ShortClips::repeat && !samples.empty()) {
    filled.reserve(wanted);
    while (filled.size() < wanted) filled.push_back(samples[filled.size() % samples.size()]);
  }
  return filled;
}

[[noreturn]] void fail_too_short(int64_t samples, const Frontend& frontend, const Cut& cut) {
  const auto rate = static_cast<double>(frontend.options().sample_rate);
  fail("too short: {:.3g} s, and a segment has {:.3g} s; data.short = \"pad\" or \"repeat\" would fill it up",
       static_cast<double>(samples) / rate, static_cast<double>(cut.segment_samples) / rate);
}

int64_t crop_start(int64_t samples, const Cut& cut, const DataOptions& options) {
  return options.crop == CropPosition::start ? 0 : std::max<int64_t>(0, samples - cut.clip_samples()) / 2;
}

int64_t whole_pieces(int64_t samples, const Cut& cut, const DataOptions& options) {
  return options.short_clips == ShortClips::skip ? std::min(cut.segments, samples / cut.segment_samples) : cut.segments;
}

Cut make_cut(const Frontend& frontend, const DataOptions& options) {
  if (frontend.options().kind == FeatureKind::key_spectrogram) {
    require(options.segments == 1,
            "data.segments: {}, but a key spectrogram is one picture of a whole file; leave it 1", options.segments);
    return {.segment_samples = 0, .segments = 1, .frames = frontend.bins(), .whole = true};
  }
  const double rate = static_cast<double>(frontend.options().sample_rate);
  Cut cut{std::llround(options.duration * rate) / options.segments, options.segments, 0};
  cut.frames = frontend.frames_for(cut.segment_samples);
  require(cut.frames > 0,
          "data.duration: {} s in {} segments gives {} samples each, too few for the frontend; use fewer segments or a "
          "smaller frontend.n_fft",
          options.duration, options.segments, cut.segment_samples);
  return cut;
}

SegmentFeatures analyse_clip(std::span<const float> samples, const Frontend& frontend, const DataOptions& options) {
  const auto n = static_cast<int64_t>(samples.size());
  const Cut cut = make_cut(frontend, options).of(n);
  const std::span<const float> part = samples.subspan(static_cast<std::size_t>(crop_start(n, cut, options)),
                                                      static_cast<std::size_t>(std::min(n, cut.clip_samples())));
  SegmentFeatures result = analyse_pieces(fill_up(part, cut.clip_samples(), options.short_clips), frontend, cut);
  if (result.segments == 0) fail_too_short(n, frontend, cut);
  return result;
}

SegmentFeatures analyse_file(const std::filesystem::path& path, const Frontend& frontend, const DataOptions& options) {
  const Cut cut = make_cut(frontend, options);
  if (!cut.whole) return analyse_clip(load_clip(path, frontend, options), frontend, options);
  SegmentFeatures result{.segments = 1, .frames = cut.frames, .bins = frontend.bins(), .values = {}};
  stream_features(path, frontend, [&](const Features& picture) { result.values = picture.values; });
  return result;
}

std::string problem_with(const std::filesystem::path& path) {
  try {
    path.extension() == ".png" ? void(load_key_spectrogram(path)) : void(decode(path));
    return {};
  } catch (const std::exception& error) {  // memory may also run out
    std::string reason = error.what();
    const std::string prefix = path.string() + ": ";
    if (reason.starts_with(prefix)) reason.erase(0, prefix.size());
    return reason.empty() ? "unknown error" : reason;
  }
}

namespace {

// Samples `start` … of `count` of a file at `rate`, or as many as there are, in `part`; returns how many the file has.
int64_t read_part(AudioStream& audio, int64_t rate, int64_t start, int64_t count, std::vector<float>& part) {
  Resampler resampler(audio.sample_rate(), rate);
  std::vector<float> piece;
  int64_t decoded = 0, at = 0;  // of the piece's first sample
  const auto keep = [&] {
    const auto size = static_cast<int64_t>(piece.size());
    const int64_t begin = std::clamp<int64_t>(start - at, 0, size),
                  end = std::clamp<int64_t>(start + count - at, 0, size);
    part.insert(part.end(), piece.begin() + begin, piece.begin() + end);
    at += size;
    piece.clear();
  };
  for (auto samples = audio.read(); !samples.empty(); samples = audio.read()) {
    decoded += static_cast<int64_t>(samples.size());
    if (at >= start + count) continue;  // decoded only to see that it can be
    resampler.push(samples, piece);
    keep();
  }
  if (at < start + count) {
    resampler.finish(piece);
    keep();
  }
  return decoded;
}

}  // namespace

std::vector<float> load_clip(const std::filesystem::path& path, const Frontend& frontend, const DataOptions& options) {
  const Cut cut = make_cut(frontend, options);
  const int64_t rate = frontend.options().sample_rate;
  if (cut.whole) return load_samples(path, rate);
  // Where the middle begins depends on the length. The header has it; should it be wrong, the file is read once more.
  std::optional<int64_t> length;
  for (;;) {
    AudioStream audio(path);
    const auto start_for = [&](int64_t decoded) {
      return crop_start(resampled_length(decoded, audio.sample_rate(), rate), cut, options);
    };
    const int64_t start = start_for(length.value_or(audio.announced_samples()));
    std::vector<float> part;
    length = read_part(audio, rate, start, cut.clip_samples(), part);
    if (start_for(*length) == start) return part;
  }
}

std::vector<float> load_samples(const std::filesystem::path& path, int64_t sample_rate) {
  Audio audio = decode(path);
  if (audio.sample_rate == sample_rate) return std::move(audio.samples);
  return resample(audio.samples, audio.sample_rate, sample_rate);
}

}  // namespace melgrad
