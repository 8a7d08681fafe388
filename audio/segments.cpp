#include "audio/segments.h"

#include <algorithm>
#include <cmath>

#include "audio/decode.h"
#include "audio/key_spectrogram.h"
#include "audio/resample.h"
#include "kernels/error.h"

namespace melgrad {
namespace {

// `samples`, made `length` long by the policy; unchanged for skip.
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

SegmentFeatures analyse_pieces(std::span<const float> samples, const Frontend& frontend, const Cut& cut,
                               int64_t pieces) {
  SegmentFeatures result{.frames = cut.frames, .bins = frontend.bins(), .values = {}};
  for (int64_t piece = 0; piece < pieces; ++piece) {
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
  const Cut cut = make_cut(frontend, options);
  const auto n = static_cast<int64_t>(samples.size());
  const std::span<const float> part = samples.subspan(static_cast<std::size_t>(crop_start(n, cut, options)),
                                                      static_cast<std::size_t>(std::min(n, cut.clip_samples())));
  SegmentFeatures result =
      analyse_pieces(fill_up(part, cut.clip_samples(), options.short_clips), frontend, cut, cut.segments);
  if (result.segments == 0) fail_too_short(n, frontend, cut);
  return result;
}

SegmentFeatures analyse_whole(std::span<const float> samples, const Frontend& frontend, const DataOptions& options) {
  const Cut cut = make_cut(frontend, options);
  const auto n = static_cast<int64_t>(samples.size());
  const int64_t pieces = std::max<int64_t>(1, (n + cut.segment_samples - 1) / cut.segment_samples);
  SegmentFeatures result =
      n >= cut.segment_samples
          ? analyse_pieces(samples, frontend, cut, pieces)
          : analyse_pieces(fill_up(samples, cut.segment_samples, options.short_clips), frontend, cut, 1);
  if (result.segments == 0) fail_too_short(n, frontend, cut);
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

std::vector<float> load_samples(const std::filesystem::path& path, int64_t sample_rate) {
  Audio audio = decode(path);
  if (audio.sample_rate == sample_rate) return std::move(audio.samples);
  return resample(audio.samples, audio.sample_rate, sample_rate);
}

}  // namespace melgrad
