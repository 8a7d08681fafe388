#include "audio/segment_reader.h"

#include <algorithm>
#include <cmath>

#include "audio/stored_clip.h"
#include "kernels/error.h"

namespace melgrad {
namespace {

float largest_sample(const std::filesystem::path& path, int64_t rate) {
  AudioStream audio(path);
  Resampler resampler(audio.sample_rate(), rate);
  std::vector<float> samples;
  float largest = 0;
  const auto include = [&] {
    for (const float sample : samples) largest = std::max(largest, std::abs(sample));
    samples.clear();
  };
  for (auto piece = audio.read(); !piece.empty(); piece = audio.read()) {
    resampler.push(piece, samples);
    include();
  }
  resampler.finish(samples);
  include();
  return largest;
}

}  // namespace

SegmentReader::SegmentReader(const std::filesystem::path& path, const Frontend& frontend, const DataOptions& options)
    : path_(path),
      frontend_(frontend),
      options_(options),
      cut_(make_cut(frontend, options)),
      audio_(path),
      resampler_(audio_.sample_rate(), frontend.options().sample_rate) {
  if (frontend.options().kind == FeatureKind::waveform)
    scale_ = stored_scale(largest_sample(path, frontend.options().sample_rate));
}

// Until a whole segment is at hand, or the file's end.
void SegmentReader::read_ahead() {
  while (!ended_ && static_cast<int64_t>(samples_.size()) < cut_.segment_samples) {
    const std::size_t before = samples_.size();
    const auto piece = audio_.read();
    ended_ = piece.empty();
    ended_ ? resampler_.finish(samples_) : resampler_.push(piece, samples_);
    if (scale_ > 0) round_as_stored(std::span(samples_).subspan(before), scale_);
  }
}

bool SegmentReader::next_picture(std::vector<float>& features) {
  if (read_++ > 0) return false;
  features = analyse_file(path_, frontend_, options_).values;
  return true;
}

bool SegmentReader::next(std::vector<float>& features) {
  try {
    if (cut_.whole) return next_picture(features);
    read_ahead();
    const auto held = static_cast<int64_t>(samples_.size());
    if (read_ == 0 && held < cut_.segment_samples)
      samples_ = fill_up(samples_, cut_.segment_samples, options_.short_clips);
    const auto size = std::min(samples_.size(), static_cast<std::size_t>(cut_.segment_samples));
    if (frontend_.frames_for(static_cast<int64_t>(size)) != cut_.frames) {
      if (read_ == 0) fail_too_short(held, frontend_, cut_);
      return false;
    }
    features = frontend_.compute(std::span(samples_).first(size)).values;
    samples_.erase(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(size));
    ++read_;
    return true;
  } catch (const Error& error) {
    const std::string reason = error.what();
    if (reason.starts_with(path_.string())) throw;
    fail("{}: {}", path_.string(), reason);
  }
}

}  // namespace melgrad
