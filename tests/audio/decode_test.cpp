// Decoding: formats, channels, and every kind of bad file.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "audio/decode.h"
#include "audio/resample.h"
#include "tensor/io/atomic_file.h"
#include "tests/audio/audio_folder.h"

namespace melgrad {
namespace {

using test::AudioFolder;
using test::error_of;

std::vector<float> tone(int64_t samples) {
  std::vector<float> x;
  for (int64_t i = 0; i < samples; ++i) x.push_back(0.5F * std::sin(0.1F * static_cast<float>(i)));
  return x;
}

// The one-line error of decoding, which must name the file.
std::string refusal(const std::filesystem::path& path) {
  const std::string message = error_of([&] { decode(path); });
  CAPTURE(message);
  CHECK(message.starts_with(path.string() + ": "));
  CHECK(message.find('\n') == std::string::npos);
  return message;
}

void overwrite(const std::filesystem::path& path, std::size_t at, std::string_view bytes) {
  std::string contents = read_file(path);
  contents.replace(at, bytes.size(), bytes);
  write_file_atomically(path, contents);
}

TEST_CASE("decode: formats and sample rates") {
  const AudioFolder folder;
  const std::vector<float> x = tone(5000);
  const Audio exact = decode(folder.write_audio("a.wav", x, 8000));
  CHECK(exact.samples == x);
  CHECK(exact.sample_rate == 8000);
  CHECK(exact.seconds() == 0.625);
  for (auto [name, format] : {std::pair{"a16.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16},
                              {"a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
                              {"a.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16},
                              {"a.w64", SF_FORMAT_W64 | SF_FORMAT_PCM_16}}) {
    CAPTURE(name);
    const Audio audio = decode(folder.write_audio(name, x, 8000, 1, format));
    REQUIRE(audio.samples.size() == x.size());
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(std::abs(audio.samples[i] - x[i]) <= 0x1p-15F);
  }
}

TEST_CASE("decode: channels are averaged, one sample is audio") {
  const AudioFolder folder;
  std::vector<float> interleaved;
  for (int frame = 0; frame < 20'000; ++frame)  // more than a buffer
    for (int channel = 0; channel < 8; ++channel) interleaved.push_back(static_cast<float>(frame % 50 + 4 * channel));
  const Audio eight = decode(folder.write_audio("eight.wav", interleaved, 44100, 8));
  REQUIRE(eight.samples.size() == 20'000);
  for (std::size_t frame = 0; frame < eight.samples.size(); ++frame)
    CHECK(eight.samples[frame] == static_cast<float>(frame % 50) + 14);
  CHECK(decode(folder.write_audio("one.wav", tone(1), 8000)).samples.size() == 1);
}

TEST_CASE("decode refuses what is not audio") {
  const AudioFolder folder;
  CHECK(refusal(folder.path() / "missing.wav").find("no such file") != std::string::npos);
  CHECK(refusal(folder.path()).find("is a folder") != std::string::npos);
  CHECK(refusal(folder.write("empty.wav", "")).find("is empty") != std::string::npos);
  CHECK(refusal(folder.write("text.wav", "This is a text, not a song.\n")).find("cannot be read") != std::string::npos);
  CHECK(refusal(folder.write("text.mp3", "This is a text, not a song.\n")).find("no MP3 frame") != std::string::npos);
  CHECK(refusal(folder.write_audio("none.wav", {}, 8000)).find("no samples") != std::string::npos);
}

TEST_CASE("decode refuses samples that are not finite") {
  const AudioFolder folder;
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                    -std::numeric_limits<float>::infinity()}) {
    std::vector<float> x = tone(70'000);
    x[69'000] = bad;
    CHECK(refusal(folder.write_audio("bad.wav", x, 8000)).find("sample 69000 is not a finite number") !=
          std::string::npos);
    CHECK_FALSE(refusal(folder.write_audio("both.wav", std::vector<float>{1, 1, 1, bad}, 8000, 2)).empty());
  }
}

TEST_CASE("decode refuses files that are cut off, wherever") {
  const AudioFolder folder;
  const std::vector<float> x = tone(20'000);
  for (auto [name, format] : {std::pair{"t.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16},
                              {"t24.wav", SF_FORMAT_WAVEX | SF_FORMAT_PCM_24},
                              {"t.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
                              {"t.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16},
                              {"t.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III}}) {
    const std::string whole = read_file(folder.write_audio(name, x, 22050, 1, format));
    for (double part : {0.01, 0.1, 0.5, 0.9}) {
      CAPTURE(name);
      CAPTURE(part);
      const auto size = static_cast<std::size_t>(part * static_cast<double>(whole.size()));
      refusal(folder.write(std::string("cut_") + name, std::string_view(whole).substr(0, size)));
    }
  }
}

TEST_CASE("decode reads on where a header leaves the length open") {
  const AudioFolder folder;
  const std::vector<float> x = tone(3000);
  const auto path = folder.write_audio("stream.wav", x, 8000, 1, SF_FORMAT_WAV | SF_FORMAT_PCM_16);
  const std::size_t data = read_file(path).find("data");
  for (std::string_view length : {"\xff\xff\xff\xff", "\xff\xff\xff\x7f"}) {  // as written to a pipe
    overwrite(path, 4, length);
    overwrite(path, data + 4, length);
    CHECK(decode(path).samples.size() == x.size());
  }
  overwrite(path, data + 4, std::string_view("\0\0\0\x40", 4));  // a gigabyte, it says
  CHECK(refusal(path).find("cut off") != std::string::npos);

  const auto flac = folder.write_audio("stream.flac", x, 8000, 1, SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  const std::string contents = read_file(flac);
  overwrite(flac, 8 + 14, std::string_view("\0\0\0\0", 4));  // the number of samples in STREAMINFO: unknown
  CHECK(decode(flac).samples.size() == x.size());
}

TEST_CASE("resample: lengths, equal rates, refusals") {
  const std::vector<float> x = tone(1000);
  CHECK(resample(x, 8000, 8000) == x);
  CHECK(resample(x, 44100, 22050).size() == 500);
  CHECK(resample(std::span(x).first(999), 44100, 22050).size() == 500);
  CHECK(resample(std::span(x).first(1), 44100, 8000).size() == 1);
  CHECK(resample({}, 44100, 8000).empty());
  CHECK_THROWS_AS(resample(x, 0, 8000), Error);
  CHECK_THROWS_AS(resample(x, 8000, -1), Error);
}

}  // namespace
}  // namespace melgrad
