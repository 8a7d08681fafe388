// The genres of the layouts other than GTZAN's, most of them by changing one of its ten.
#include <algorithm>

#include "audio/synth/genres.h"
#include "kernels/error.h"

namespace melgrad {
namespace {

// General MIDI drums.
constexpr int kKick = 36, kClap = 39, kHat = 42, kOpenHat = 46, kHighBongo = 60, kLowBongo = 61, kLowConga = 64,
              kMaracas = 70, kClaves = 75;

Genre based_on(std::string_view gtzan, std::string_view name) {
  for (const Genre& genre : genres()) {
    if (genre.name != gtzan) continue;
    Genre copy = genre;
    copy.name = name;
    return copy;
  }
  fail("no genre '{}' to base '{}' on", gtzan, name);
}

Genre electronic() {
  return {.name = "Electronic",
          .tempo = {122, 140},
          .minor = 0.8,
          .progressions = {"1", "16", "1167", "14"},
          .grooves =
              {{{kKick, "X... X... X... X..."}, {kOpenHat, "..X. ..X. ..X. ..X."}, {kClap, ".... X... .... X..."}},
               {{kKick, "X... X... X... X..."}, {kHat, "xxXx xxXx xxXx xxXx"}},
               {{kKick, "X... X... X... X.x."}, {kOpenHat, "..X. ..X. ..X. ..X."}, {kMaracas, "xxxx xxxx xxxx xxxx"}}},
          .parts = {{.role = "bass",
                     .programs = {38, 39, 81, 87},
                     .patterns = {"..11 ..11 ..11 ..11", "1.11 1.11 1.11 1.11"},
                     .gate = {0.4, 0.8},
                     .lowest = 30},
                    {.role = "chords",
                     .programs = {88, 89, 90, 94, 95},
                     .patterns = {"c--- ---- ---- ----", "c.c. .c.. c.c. .c.."},
                     .lowest = 52},
                    {.role = "lead",
                     .programs = {80, 81, 84, 86, 87},
                     .patterns = {"1358 1358 1358 1358", "1.3. 5.8. 1.3. 5.8.", "8531 8531 8531 8531"},
                     .gate = {0.3, 0.7},
                     .lowest = 60}}};
}

Genre experimental() {
  return {
      .name = "Experimental",
      .tempo = {44, 76},
      .loose = 0.09,
      .minor = 1,
      .progressions = {"1", "12", "17", "1726"},
      .drums = 0.25,
      .grooves = {{{kClaves, "?..? .... ..?. ...?"}, {kLowConga, "...? .?.. .... .?.."}}},
      .parts = {{.role = "chords",
                 .programs = {96, 97, 99, 101, 102, 103},
                 .patterns = {"1--- ---- ---- ----", "p--- ---- ---- ---- | ---- ---- ---- ----"},
                 .gate = {0.9, 1.1},
                 .lowest = 36},
                {.role = "lead",
                 .programs = {98, 100, 120, 122, 123, 124, 125, 126},
                 .patterns = {"m--- --.. .... .m-- | .... .... m--- ....", ".... .m-- ---- .... | .m.. .... .... m---"},
                 .gate = {0.6, 1.2},
                 .lowest = 48},
                {.role = "lead",
                 .programs = {11, 13, 14, 92, 98, 112},
                 .patterns = {".... ..m. .... .... | .m.. .... .... ....", "m... .... ...m .... | .... ..m. .... ...."},
                 .lowest = 72,
                 .presence = 0.6}}};
}

Genre folk() {
  Genre genre = based_on("country", "Folk");
  genre.tempo = {72, 116};
  genre.drums = 0;
  genre.minor = 0.4;
  genre.parts = {{.role = "chords",
                  .programs = {24, 25, 105},
                  .patterns = {"1535 8535 1535 8535", "1-5- 8-5- 3-5- 8-5-", "1.58 5.85 1.58 5.85"},
                  .lowest = 45},
                 {.role = "lead",
                  .programs = {21, 22, 40, 110, 73, 74, 78},
                  .patterns = {"m-m- m--- m-m- m--- | m-mm m--- ---- ....", "mmm- m--- mmm- m---"},
                  .lowest = 62,
                  .presence = 0.9}};
  return genre;
}

Genre international() {
  Genre genre = based_on("reggae", "International");
  genre.tempo = {84, 124};
  genre.minor = 0.7;
  genre.progressions = {"1", "17", "12", "1717"};
  genre.grooves = {
      {{kLowBongo, "X.xx .x.x X.xx .xx."}, {kHighBongo, "..x. x.x. ..x. x..x"}, {kClaves, "X..X ..X. ..X. X..."}},
      {{kLowConga, "X..x ..x. X..x .xx."}, {kMaracas, "xxxx xxxx xxxx xxxx"}},
      {{kLowBongo, "X..x X.x. X..x X.x."}, {kClap, "..x. ..x. ..x. ..x."}}};
  genre.parts = {{.role = "chords",
                  .programs = {104, 106, 107, 108, 24},
                  .patterns = {"1.5. 1.55 1.5. 1.55", "1-15 1-15 1-15 1-15"},
                  .lowest = 45},
                 {.role = "lead",
                  .programs = {104, 107, 108, 111, 75, 77},
                  .patterns = {"mmmm m-mm mmm- m-m-", "m-mm mmmm m--- mm.."},
                  .gate = {0.6, 1.0},
                  .lowest = 60}};
  return genre;
}

}  // namespace

std::span<const Genre> fma_genres() {
  static const std::vector<Genre> all = {electronic(),
                                         experimental(),
                                         folk(),
                                         based_on("hiphop", "Hip-Hop"),
                                         based_on("classical", "Instrumental"),
                                         international(),
                                         based_on("pop", "Pop"),
                                         based_on("rock", "Rock")};
  return all;
}

std::span<const Genre> key_genres() {
  static const std::vector<Genre> all = [] {
    std::vector<Genre> list;
    for (const char* name : {"pop", "rock", "classical", "country"}) {
      Genre genre = based_on(name, name);
      genre.harmony = Harmony::triads;
      genre.leading_tone = true;
      genre.progressions = {"1451", "1415", "1454", "1145", "1541"};
      list.push_back(std::move(genre));
    }
    return list;
  }();
  return all;
}

}  // namespace melgrad
