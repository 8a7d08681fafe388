// The styles of the synthetic MagnaTagATune: GTZAN's genres, half of them with a voice, and others by instrument.
#include "audio/synth/tags.h"

namespace melgrad {
namespace {

// General MIDI drums.
constexpr int kKick = 36, kClap = 39, kHat = 42, kLowTom = 45, kOpenHat = 46, kMidTom = 47, kHighTom = 50,
              kHighBongo = 60, kLowBongo = 61;

// Choir, "ooh" and synthetic voice, which carry a melody.
Part voice(int lowest, std::vector<int> programs = {53, 54, 85}) {
  return {.role = "voice",
          .programs = std::move(programs),
          .patterns = {"m--- m-m- m--- ---- | m-m- m--- m--- ----", "m--- ---- m--- m--- | m--- ---- ---- ...."},
          .gate = {0.9, 1.0},
          .lowest = lowest};
}

// A genre of steps_per_bar 16, sung high or low over it.
Style sung(Genre genre, bool high, std::string_view tags) {
  std::erase_if(genre.parts, [](const Part& part) { return part.role == "lead"; });
  for (Part& part : genre.parts) part.level_db = {-14, -8};
  genre.parts.push_back(voice(high ? 68 : 46));
  return {std::move(genre), tags};
}

Style played_alone(std::vector<int> programs, int lowest, std::string_view tags) {
  return {{.name = "solo",
           .tempo = {66, 140},
           .loose = 0.02,
           .minor = 0.5,
           .progressions = {"1451", "1625", "1465"},
           .drums = 0,
           .parts = {{.role = "lead",
                      .programs = std::move(programs),
                      .patterns = {"1535 8535 1535 8535", "m-m- m-m- c--- ---- | m-mm m-mm c--- ----",
                                   "mmmm m-m- mmmm m---", "1358 5313 c--- ----"},
                      .gate = {0.8, 1.0},
                      .lowest = lowest}}},
          tags};
}

Style choir(int lowest, std::string_view tags) {
  return {{.name = "choir",
           .tempo = {56, 84},
           .loose = 0.02,
           .minor = 0.6,
           .progressions = {"1451", "1645", "1415"},
           .drums = 0,
           .parts = {{.role = "voice",
                      .programs = {52},
                      .patterns = {"c--- ---- ---- ----", "c--- ---- c--- ----", "1--- 3--- 5--- ----"},
                      .gate = {0.95, 1.05},
                      .lowest = lowest}}},
          tags};
}

Style opera() {
  return {{.name = "opera",
           .tempo = {60, 92},
           .loose = 0.03,
           .minor = 0.5,
           .progressions = {"1451", "1645"},
           .drums = 0,
           .parts = {{.role = "chords",
                      .programs = {48, 49},
                      .patterns = {"c--- ---- c--- ----"},
                      .lowest = 48,
                      .level_db = {-12, -8}},
                     voice(72, {53, 54})}},
          "opera,operatic,female opera,soprano,classical,foreign,not english"};
}

Style techno() {
  return {
      {.name = "techno",
       .tempo = {128, 144},
       .minor = 0.9,
       .progressions = {"1", "16"},
       .grooves = {{{kKick, "X... X... X... X..."}, {kOpenHat, "..X. ..X. ..X. ..X."}, {kClap, ".... X... .... X..."}},
                   {{kKick, "X... X... X... X..."}, {kHat, "xxXx xxXx xxXx xxXx"}}},
       .parts = {{.role = "bass", .programs = {38, 39}, .patterns = {"..11 ..11 ..11 ..11"}, .lowest = 30},
                 {.role = "lead",
                  .programs = {80, 81, 84, 87},
                  .patterns = {"1358 1358 1358 1358", "1.3. 5.8. 1.3. 5.8."},
                  .gate = {0.3, 0.7},
                  .lowest = 60}}},
      "techno,electronic,electronica,electro,dance,trance,house,industrial,repetitive,modern"};
}

Style ambient() {
  return {{.name = "ambient",
           .tempo = {48, 72},
           .loose = 0.05,
           .minor = 0.6,
           .progressions = {"14", "16", "1"},
           .drums = 0,
           .parts = {{.role = "chords",
                      .programs = {88, 89, 91, 92, 94, 95},
                      .patterns = {"c--- ---- ---- ---- | ---- ---- ---- ----", "c--- ---- ---- ----"},
                      .gate = {1.0, 1.1},
                      .lowest = 48},
                     {.role = "lead",
                      .programs = {46, 73, 98, 99},
                      .patterns = {"m--- ---- .... .... | .... m--- ---- ....", ".... .... m--- ----"},
                      .lowest = 64,
                      .presence = 0.8}}},
          "ambient,new age,airy,echo,drone,soft"};
}

Style indian() {
  return {{.name = "indian",
           .tempo = {72, 120},
           .loose = 0.02,
           .minor = 0.8,
           .progressions = {"1", "17"},
           .drums = 0.8,
           .grooves = {{{kLowBongo, "X.xx .x.x X.xx .xx."}, {kHighBongo, "..x. x.x. ..x. x..x"}}},
           .parts = {{.role = "lead",
                      .programs = {104},
                      .patterns = {"mmmm m-mm mmm- m-m-", "m-mm mmmm m--- mm.."},
                      .lowest = 52},
                     {.role = "chords", .programs = {104}, .patterns = {"p--- ---- p--- ----"}, .lowest = 40}}},
          "indian,india,world,foreign,oriental,middle eastern"};
}

Style baroque() {
  return {{.name = "baroque",
           .tempo = {80, 126},
           .minor = 0.5,
           .progressions = {"14515145", "1451"},
           .drums = 0,
           .parts = {{.role = "chords",
                      .programs = {6},
                      .patterns = {"1358 5358 1358 5358", "c.c. c.c. c.c. c.c."},
                      .lowest = 53},
                     {.role = "bass", .programs = {42}, .patterns = {"1--- 3--- 5--- 3---"}, .lowest = 36},
                     {.role = "lead",
                      .programs = {40, 68, 73},
                      .patterns = {"mmmm m-m- mmmm m-m-"},
                      .lowest = 65,
                      .presence = 0.7}}},
          "baroque,classical,classic,clasical,medieval,old,not rock"};
}

Style celtic() {
  return {{.name = "celtic",
           .tempo = {100, 140},
           .minor = 0.3,
           .progressions = {"1451", "17", "1415"},
           .drums = 0,
           .parts = {{.role = "lead",
                      .programs = {110, 72, 78},
                      .patterns = {"mmm- mmm- mmmm m---", "m-mm mmm- m-mm m---"},
                      .lowest = 64},
                     {.role = "chords", .programs = {25, 46}, .patterns = {"1.58 5.85 1.58 5.85"}, .lowest = 45}}},
          "celtic,irish,folk,world"};
}

Style tribal() {
  return {{.name = "tribal",
           .tempo = {84, 132},
           .loose = 0.015,
           .progressions = {"1"},
           .grooves = {{{kLowTom, "X..x ..x. X..x ..xx"}, {kHighBongo, "..x. x.x. ..x. x.x."}},
                       {{kMidTom, "X.x. x.x. X.xx x.x."},
                        {kHighTom, "...x ..x. ...x .x.x"},
                        {kLowBongo, "xx.x xx.x xx.x xx.x"}}},
           .parts = {}},
          "tribal,world,jungle,repetitive"};
}

Style weird() {
  return {{.name = "weird",
           .tempo = {44, 76},
           .loose = 0.09,
           .minor = 1,
           .progressions = {"12", "17"},
           .drums = 0,
           .parts = {{.role = "chords",
                      .programs = {96, 97, 101, 103},
                      .patterns = {"1--- ---- ---- ----"},
                      .gate = {0.9, 1.1},
                      .lowest = 36},
                     {.role = "lead",
                      .programs = {122, 123, 124, 125, 126},
                      .patterns = {"m--- ---- .... m---", "m--- ---- ---- ----"},
                      .gate = {0.8, 1.2},
                      .lowest = 48}}},
          "weird,eerie,scary,dark,ambient,different"};
}

Style orchestra() {
  return {{.name = "orchestra",
           .tempo = {72, 132},
           .loose = 0.02,
           .minor = 0.5,
           .progressions = {"14515145", "1625"},
           .drums = 0,
           .parts =
               {{.role = "bass", .programs = {43}, .patterns = {"1--- ---- 5--- ----"}, .lowest = 36},
                {.role = "chords",
                 .programs = {48, 49, 60},
                 .patterns = {"c--- ---- c--- ----", "c-c- c-c- c-c- c---"},
                 .lowest = 52},
                {.role = "lead", .programs = {40, 56, 60, 71, 73}, .patterns = {"m--- m-m- m--- ----"}, .lowest = 64}}},
          "orchestra,orchestral,classical,classic,not rock"};
}

}  // namespace

std::span<const Style> mtat_styles() {
  static const std::vector<Style> all = [] {
    const auto gtzan = [](std::size_t place) { return genres()[place]; };
    return std::vector<Style>{
        {gtzan(0), "blues"},
        {gtzan(1), "classical,classic,not rock"},
        {gtzan(5), "jazz,jazzy"},
        {gtzan(6), "metal,heavy metal,heavy,hard rock,hard,rock"},
        {gtzan(8), "reggae"},
        {gtzan(9), "rock"},
        {gtzan(3), "disco,dance,funk,funky"},
        sung(gtzan(2), false, "country"),
        sung(gtzan(4), false, "hip hop,rap,talking"),
        sung(gtzan(7), true, "pop,soft rock"),
        sung(gtzan(9), true, "rock,pop"),
        techno(),
        ambient(),
        indian(),
        opera(),
        choir(64, "chant,chanting"),
        choir(45, "monks,chant,chanting"),
        baroque(),
        celtic(),
        tribal(),
        weird(),
        orchestra(),
        played_alone({6}, 55, "baroque,classical"),
        played_alone({24, 25}, 45, "spanish"),
        played_alone({0}, 55, "classical"),
        played_alone({40, 42}, 50, "classical"),
        played_alone({46, 73}, 60, "celtic"),
        played_alone({105, 16}, 52, "folk"),
    };
  }();
  return all;
}

}  // namespace melgrad
