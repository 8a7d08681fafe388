#include "audio/feature_stream.h"

#include <algorithm>
#include <cstdio>
#include <memory>

#include "audio/decode.h"
#include "audio/resample.h"
#include "kernels/error.h"

namespace melgrad {
namespace {

constexpr int64_t frames_at_once = 512;

// Numbers that wait on the disk until they are read again in the same order.
class Spill {
 public:
  Spill() : file_(std::tmpfile(), std::fclose) {
    require(file_ != nullptr, "features: no temporary file can be made; see to the temporary folder");
  }
  void write(const std::vector<float>& values) {
    require(std::fwrite(values.data(), sizeof(float), values.size(), file_.get()) == values.size(),
            "features: the temporary folder is full");
  }
  void rewind() { std::rewind(file_.get()); }
  std::size_t read(std::vector<float>& values) {
    return std::fread(values.data(), sizeof(float), values.size(), file_.get());
  }

 private:
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

// All of a file at the frontend's rate through `stream`.
void push_file(const std::filesystem::path& path, int64_t sample_rate, BandStream& stream) {
  AudioStream audio(path);
  Resampler resampler(audio.sample_rate(), sample_rate);
  std::vector<float> samples;
  for (auto piece = audio.read(); !piece.empty(); piece = audio.read()) {
    samples.clear();
    resampler.push(piece, samples);
    stream.push(samples);
  }
  samples.clear();
  resampler.finish(samples);
  stream.push(samples);
  stream.finish();
}

// Frames can be finished as they come.
int64_t stream_at_once(const std::filesystem::path& audio, const Frontend& frontend,
                       const std::function<void(const Features&)>& sink) {
  int64_t frames = 0;
  BandStream stream(frontend, [&](const Features& bands) {
    Features features = bands;
    frontend.finish(features, 0);
    frames += features.frames;
    sink(features);
  });
  push_file(audio, frontend.options().sample_rate, stream);
  return frames;
}

// Frames wait for the largest of all, `together` at a time (0: all, as a picture wants).
int64_t stream_in_two_passes(const std::filesystem::path& audio, const Frontend& frontend, int64_t together,
                             const std::function<void(const Features&)>& sink) {
  Spill spill;
  int64_t waiting = 0;
  BandStream stream(frontend, [&](const Features& bands) {
    spill.write(bands.values);
    waiting += bands.frames;
  });
  push_file(audio, frontend.options().sample_rate, stream);
  spill.rewind();
  int64_t frames = 0;
  while (waiting > 0) {
    const int64_t count = together == 0 ? waiting : std::min(together, waiting);
    Features features{.frames = count, .bins = frontend.bands(), .values = {}};
    features.values.resize(static_cast<std::size_t>(count * frontend.bands()));
    require(spill.read(features.values) == features.values.size(), "features: the temporary file was cut off");
    waiting -= count;
    frontend.finish(features, stream.largest());
    frames += features.frames;
    sink(features);
  }
  return frames;
}

}  // namespace

// How many frames read nothing behind what has come, whatever may still come. The first frames' reflected padding reads
// no further than n_fft.
int64_t BandStream::ready_frames() const {
  const FrontendOptions& options = frontend_.options();
  int64_t ready = length_;
  if (options.kind != FeatureKind::waveform) {
    const int64_t past_first = length_ - frontend_.frame_start(0) - options.n_fft;
    ready = length_ <= options.n_fft || past_first < 0 ? 0 : 1 + past_first / options.hop;
  }
  return options.frames > 0 ? std::min(ready, options.frames) : ready;
}

void BandStream::emit(int64_t end) {
  while (frame_ < end) {
    const int64_t last = std::min(end, frame_ + frames_at_once);
    Features bands{.frames = last - frame_, .bins = frontend_.bands(), .values = {}};
    bands.values.resize(static_cast<std::size_t>(bands.frames * bands.bins));
    frontend_.compute_bands({samples_, first_, length_}, frame_, last, bands.values);
    largest_ = std::max(largest_, *std::ranges::max_element(bands.values));
    frame_ = last;
    sink_(bands);
  }
}

void BandStream::push(std::span<const float> samples) {
  samples_.insert(samples_.end(), samples.begin(), samples.end());
  length_ += static_cast<int64_t>(samples.size());
  const int64_t ready = ready_frames(), wanted = frontend_.options().frames;
  const bool complete = wanted > 0 && ready == wanted;
  if (ready < frame_ + frames_at_once && !complete) return;
  emit(ready);
  if (complete) {  // nothing reads what may still come
    samples_.clear();
    first_ = length_;
    return;
  }
  // The next frames' samples stay, and the last n_fft, which the end may reflect.
  const bool waveform = frontend_.options().kind == FeatureKind::waveform;
  const int64_t next = waveform ? frame_ : std::min(frontend_.frame_start(frame_), length_ - frontend_.options().n_fft);
  const int64_t keep = std::clamp(next, first_, length_);
  samples_.erase(samples_.begin(), samples_.begin() + (keep - first_));
  first_ = keep;
}

void BandStream::finish() {
  const int64_t frames = frontend_.band_frames_for(length_);
  if (frames == 0) fail("{}", frontend_.too_short(length_));
  emit(frames);
}

int64_t stream_features(const std::filesystem::path& audio, const Frontend& frontend,
                        const std::function<void(const Features&)>& sink) {
  const bool picture = frontend.options().kind == FeatureKind::key_spectrogram;
  try {
    if (!picture && !frontend.needs_largest()) return stream_at_once(audio, frontend, sink);
    return stream_in_two_passes(audio, frontend, picture ? 0 : frames_at_once, sink);
  } catch (const Error& error) {
    const std::string message = error.what();
    if (message.starts_with(audio.string())) throw;
    fail("{}: {}", audio.string(), message);
  }
}

}  // namespace melgrad
