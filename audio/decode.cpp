#include "audio/decode.h"

#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "audio/truncation.h"
#include "kernels/error.h"

namespace melgrad {
namespace {

struct CloseSound {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using Sound = std::unique_ptr<SNDFILE, CloseSound>;

void check_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  require(std::filesystem::exists(status), "{}: no such file; check the path", path.string());
  require(!std::filesystem::is_directory(status), "{}: is a folder; give an audio file", path.string());
  const auto bytes = std::filesystem::file_size(path, error);
  if (error) return;  // a pipe, say: libsndfile will tell
  require(bytes > 0, "{}: the file is empty; replace or remove it", path.string());
}

// Whether the start of a file named like an MP3 may be one. libmpg123 would search a text for frames, loudly.
void check_mpeg(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  if (extension != ".mp3" && extension != ".MP3") return;
  std::string start(1 << 16, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(file.gcount()));
  // A frame begins with eleven bits set. What else libsndfile knows (a WAV named .mp3) begins with letters.
  bool frame = start.starts_with("ID3") || start.starts_with("RIFF") || start.starts_with("OggS");
  for (std::size_t i = 0; !frame && i + 1 < start.size(); ++i)
    frame = static_cast<unsigned char>(start[i]) == 0xFF && static_cast<unsigned char>(start[i + 1]) >= 0xE0;
  require(frame, "{}: cannot be read as audio (no MP3 frame in it); replace it", path.string());
}

// libsndfile's words as the end of a line.
std::string_view without_period(std::string_view text) {
  while (text.ends_with('.') || text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

Sound open(const std::filesystem::path& path, SF_INFO& info) {
  Sound file(sf_open(path.c_str(), SFM_READ, &info));
  require(file != nullptr, "{}: cannot be read as audio ({}); replace it, or convert it to WAV, FLAC, OGG or MP3",
          path.string(), without_period(sf_strerror(nullptr)));
  require(info.channels >= 1 && info.samplerate >= 1, "{}: {} channels at {} Hz make no audio; replace the file",
          path.string(), info.channels, info.samplerate);
  return file;
}

// Appends the mean over the channels of each frame.
void append_mono(std::span<const float> interleaved, int64_t channels, std::vector<float>& samples) {
  const auto width = static_cast<std::size_t>(channels);
  if (width == 1) {
    samples.insert(samples.end(), interleaved.begin(), interleaved.end());
    return;
  }
  for (std::size_t start = 0; start < interleaved.size(); start += width) {
    float sum = 0;
    for (std::size_t channel = 0; channel < width; ++channel) sum += interleaved[start + channel];
    samples.push_back(sum / static_cast<float>(channels));
  }
}

}  // namespace

struct AudioStream::State {
  std::filesystem::path path;
  SF_INFO info{};
  Sound file;
  std::vector<float> interleaved, mono;
  int64_t samples = 0;  // read so far
};

AudioStream::AudioStream(const std::filesystem::path& path) : state_(std::make_unique<State>()) {
  constexpr int64_t buffer_samples = 1 << 16;
  check_file(path);
  check_mpeg(path);
  state_->path = path;
  state_->file = open(path, state_->info);
  const int64_t channels = state_->info.channels;
  state_->interleaved.resize(static_cast<std::size_t>(std::max<int64_t>(1, buffer_samples / channels) * channels));
}

AudioStream::~AudioStream() = default;

int64_t AudioStream::sample_rate() const {
  return state_->info.samplerate;
}

int64_t AudioStream::announced_samples() const {
  return state_->info.frames;
}

std::span<const float> AudioStream::read() {
  State& state = *state_;
  const int64_t channels = state.info.channels;
  const auto frames = static_cast<sf_count_t>(state.interleaved.size()) / channels;
  const sf_count_t read = sf_readf_float(state.file.get(), state.interleaved.data(), frames);
  const std::string name = state.path.string();
  if (read <= 0) {
    const double seconds = static_cast<double>(state.samples) / static_cast<double>(sample_rate());
    require(sf_error(state.file.get()) == SF_ERR_NO_ERROR, "{}: damaged after {:.2f} s ({}); replace or re-encode it",
            name, seconds, without_period(sf_strerror(state.file.get())));
    require(state.samples > 0, "{}: holds no samples; replace or remove it", name);
    check_complete(state.path, state.info.format, state.info.frames, state.samples);
    return {};
  }
  state.mono.clear();
  append_mono(std::span(state.interleaved).first(static_cast<std::size_t>(read * channels)), channels, state.mono);
  const auto bad = std::ranges::find_if_not(state.mono, [](float sample) { return std::isfinite(sample); });
  require(bad == state.mono.end(), "{}: sample {} is not a finite number; replace or re-encode the file", name,
          state.samples + (bad - state.mono.begin()));
  state.samples += read;
  return state.mono;
}

Audio decode(const std::filesystem::path& path) {
  AudioStream stream(path);
  Audio audio{{}, stream.sample_rate()};
  for (auto piece = stream.read(); !piece.empty(); piece = stream.read())
    audio.samples.insert(audio.samples.end(), piece.begin(), piece.end());
  return audio;
}

}  // namespace melgrad
