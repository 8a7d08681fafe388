#include <doctest/doctest.h>
#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "audio/synth/compose.h"
#include "audio/synth/genres.h"
#include "audio/synth/layouts.h"
#include "audio/synth/mastering.h"
#include "audio/synth/soundfont.h"
#include "kernels/error.h"
#include "kernels/thread_pool.h"
#include "tests/temporary_folder.h"

namespace melgrad {
namespace {

using test::TemporaryFolder;

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  REQUIRE_MESSAGE(stream.good(), file.string());
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// A set of clips short enough for a test.
void make_set(const std::filesystem::path& out, int64_t clips, uint64_t seed, int threads) {
  ThreadPool pool(threads);
  synth_folders({.out = out, .clips = clips, .seed = seed, .seconds = 2}, pool);
}

Score one_note(int key) {
  Score score;
  score.seconds = 1;
  score.instruments = {{.channel = 0, .program = 0, .role = "chords"}};
  score.notes = {{.start = 0.5, .duration = 0.4, .channel = 0, .key = key, .velocity = 100}};
  return score;
}

std::vector<float> play(const Score& score) {
  return render(score, {.soundfont = find_soundfont()});
}

double rms(std::span<const float> samples) {
  double sum = 0;
  for (const float sample : samples) sum += static_cast<double>(sample) * sample;
  return std::sqrt(sum / static_cast<double>(samples.size()));
}

TEST_CASE("synth folders: a clip depends on seed and number, not on how many there are or on threads") {
  const TemporaryFolder folder;
  make_set(folder / "two", 21, 5, 2);
  make_set(folder / "one", 11, 5, 1);
  make_set(folder / "other", 11, 6, 1);
  for (const Genre& genre : genres()) {
    const std::string file = std::string(genre.name) + "/" + std::string(genre.name) + ".00000.wav";
    CHECK_MESSAGE(bytes_of(folder / "one" / file) == bytes_of(folder / "two" / file), file);
    CHECK_MESSAGE(bytes_of(folder / "one" / file) != bytes_of(folder / "other" / file), file);
  }
  CHECK(bytes_of(folder / "one/blues/blues.00001.wav") == bytes_of(folder / "two/blues/blues.00001.wav"));
  CHECK(bytes_of(folder / "two/blues/blues.00001.wav") != bytes_of(folder / "two/blues/blues.00002.wav"));
  CHECK(!std::filesystem::exists(folder / "one/classical/classical.00001.wav"));
}

TEST_CASE("synth folders: mono 16-bit WAV files of 30 s at 22,050 Hz that are heard throughout") {
  const TemporaryFolder folder;
  ThreadPool pool(2);
  int64_t calls = 0;
  synth_folders({.out = folder / "set", .clips = 10, .seed = 3}, pool, [&](int64_t done, int64_t total) {
    CHECK(done == ++calls);
    CHECK(total == 10);
  });
  CHECK(calls == 10);
  for (const Genre& genre : genres()) {
    CAPTURE(genre.name);
    const std::filesystem::path file = folder / "set" / genre.name / (std::string(genre.name) + ".00000.wav");
    SF_INFO info{};
    SNDFILE* sound = sf_open(file.c_str(), SFM_READ, &info);
    REQUIRE(sound != nullptr);
    CHECK(info.samplerate == 22050);
    CHECK(info.channels == 1);
    CHECK(info.format == (SF_FORMAT_WAV | SF_FORMAT_PCM_16));
    REQUIRE(info.frames == 30 * 22050);
    std::vector<float> samples(static_cast<std::size_t>(info.frames));
    CHECK(sf_readf_float(sound, samples.data(), info.frames) == info.frames);
    sf_close(sound);
    const float peak = std::abs(
        *std::max_element(samples.begin(), samples.end(), [](float a, float b) { return std::abs(a) < std::abs(b); }));
    CHECK(peak <= 1.0F);
    CHECK(peak > 0.2F);  // -13 dB and louder
    // Five-second pieces: every section plays. Hiss alone is at most -54 dB.
    for (std::size_t i = 0; i < 6; ++i) CHECK(rms(std::span(samples).subspan(i * 110250, 110250)) > 0.003);
  }
}

TEST_CASE("synth folders: bad options and places name what is wrong") {
  const TemporaryFolder folder;
  ThreadPool pool(1);
  CHECK_THROWS_WITH_AS(synth_folders({.out = folder / "set", .clips = 0}, pool),
                       doctest::Contains("at least one clip, got 0"), Error);
  CHECK_THROWS_AS(synth_folders({.out = folder / "set", .seconds = 0}, pool), Error);
  std::ofstream(folder / "file") << "in the way";
  CHECK_THROWS_WITH_AS(synth_folders({.out = folder / "file", .clips = 1}, pool), doctest::Contains("file"), Error);
}

TEST_CASE("compose: every table of every genre can be played, and the score says what it is") {
  std::set<std::string> names;
  for (const Genre& genre : genres()) {
    CAPTURE(genre.name);
    names.emplace(genre.name);
    std::set<int> tonics;
    for (int64_t clip = 0; clip < 40; ++clip) {
      const Score score = compose(genre, {.seconds = 30, .seed = 1, .clip = clip});
      CHECK(score.genre == genre.name);
      CHECK(score.tempo >= genre.tempo.low);
      CHECK(score.tempo <= genre.tempo.high);
      tonics.insert(score.tonic);
      REQUIRE(!score.notes.empty());
      double last = 0;
      for (const Note& note : score.notes) {
        REQUIRE(note.key > 20);
        REQUIRE(note.key < 115);
        REQUIRE(note.duration > 0);
        last = std::max(last, note.start + note.duration);
      }
      CHECK(last >= 29);
      CHECK(score.notes.size() > 40);
    }
    CHECK(tonics.size() > 6);
    // compose() draws some patterns only: here all are looked at.
    const auto bars = [&](std::string_view pattern) {
      const auto steps = std::count_if(pattern.begin(), pattern.end(), [](char c) { return c != ' ' && c != '|'; });
      CHECK_MESSAGE(steps % genre.steps_per_bar == 0, pattern);
    };
    for (const Part& part : genre.parts) std::for_each(part.patterns.begin(), part.patterns.end(), bars);
    for (const Groove& groove : genre.grooves)
      for (const DrumLine& line : groove) bars(line.pattern);
    for (const std::string_view progression : genre.progressions)
      CHECK(progression.find_first_not_of("1234567") == std::string_view::npos);
  }
  CHECK(names == std::set<std::string>{"blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop",
                                       "reggae", "rock"});
}

TEST_CASE("compose: disco has its kick on every beat, classical seldom has drums") {
  for (int64_t clip = 0; clip < 10; ++clip) {
    const Score score = compose(genres()[3], {.seed = 2, .clip = clip});
    const auto kicks = std::count_if(score.notes.begin(), score.notes.end(), [](const Note& note) {
      return note.channel == kDrumChannel && note.key == 36 && note.start > 0 && note.start < 30;
    });
    CHECK(static_cast<double>(kicks) == doctest::Approx(score.tempo / 2).epsilon(0.05));
  }
  int with_drums = 0;
  for (int64_t clip = 0; clip < 100; ++clip) {
    const Score score = compose(genres()[1], {.seed = 2, .clip = clip});
    with_drums += score.instruments.front().role == "drums" ? 1 : 0;
  }
  CHECK(with_drums > 2);
  CHECK(with_drums < 35);
}

TEST_CASE("soundfont: notes sound when they are written, whatever was played before") {
  Score score = one_note(69);
  score.mastering.noise_db = -200;
  const std::vector<float> first = play(score);
  REQUIRE(first.size() == 22050);
  CHECK(rms(std::span(first).first(11000)) < 1e-6);  // written at 0.5 s, rounded to 64 samples
  CHECK(rms(std::span(first).subspan(11200, 2000)) > 0.01);
  play(compose(genres()[6], {.seconds = 3}));
  CHECK(play(score) == first);
  CHECK(play(one_note(70)) != first);
}

TEST_CASE("soundfont: errors name the note, the program and the file") {
  CHECK_THROWS_WITH_AS(play(one_note(128)), doctest::Contains("key 128"), Error);
  Score score = one_note(60);
  score.instruments[0].program = 500;
  CHECK_THROWS_WITH_AS(play(score), doctest::Contains("program 500"), Error);
  CHECK_THROWS_WITH_AS(render(one_note(60), {.soundfont = "/nowhere.sf2"}), doctest::Contains("/nowhere.sf2"), Error);
}

TEST_CASE("mastering: shelves and bells change the level where they should, then the peak is set") {
  // The level of a sine at `hz` after `mastering`, in dB against one at 1,000 Hz after it.
  const auto level = [](const Mastering& mastering, double hz) {
    // Both in one buffer, one after the other, so that the setting of the peak falls on both.
    std::vector<float> samples(2 * 22050);
    for (std::size_t i = 0; i < samples.size(); ++i)
      samples[i] = static_cast<float>(
          0.1 * std::sin(2 * 3.141592653589793 * (i < 22050 ? hz : 1000) * static_cast<double>(i) / 22050));
    master(mastering, 22050, samples);
    return 20 * std::log10(rms(std::span(samples).subspan(8000, 8000)) / rms(std::span(samples).subspan(30000, 8000)));
  };
  CHECK(level({.low_shelf_db = 6}, 40) == doctest::Approx(6).epsilon(0.02));
  CHECK(level({.high_shelf_db = -6}, 10500) == doctest::Approx(-6).epsilon(0.02));
  CHECK(level({.bells = {{.db = 5, .hz = 6000}}}, 6000) == doctest::Approx(5).epsilon(0.03));
  CHECK(std::abs(level({.bells = {{.db = 5, .hz = 5000}}}, 100)) < 0.1);

  std::vector<float> samples = {0.1F, -0.5F, 0.2F};
  master({.peak_db = -6, .noise_db = -200}, 22050, samples);
  CHECK(samples[1] == doctest::Approx(-0.501187));
  std::vector<float> silence(22050);
  master({.noise_db = -40}, 22050, silence);
  CHECK(20 * std::log10(rms(silence)) == doctest::Approx(-40).epsilon(0.005));
  CHECK_THROWS_AS(master({.high_shelf_hz = 12000}, 22050, samples), Error);
}

}  // namespace
}  // namespace melgrad
