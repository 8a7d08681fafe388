#include "audio/synth/genres.h"

namespace melgrad {
namespace {

// General MIDI drums.
constexpr int kKick = 36, kRim = 37, kSnare = 38, kClap = 39, kHat = 42, kFootHat = 44, kOpenHat = 46, kTom = 45,
              kCrash = 49, kRide = 51, kTambourine = 54, kMaracas = 70;

// General MIDI programs that several genres share.
const std::vector<int> kBasses = {32, 33, 34, 35, 38};
const std::vector<int> kRhythm = {0, 4, 16, 25, 26, 27, 29};       // piano, e-piano, organ, guitars
const std::vector<int> kSustained = {16, 18, 29, 48, 50, 61, 89};  // organs, driven guitar, strings, brass, pad
const std::vector<int> kLeads = {0, 11, 26, 29, 56, 65, 71, 73, 80};

Genre blues() {
  return {.name = "blues",
          .tempo = {64, 104},
          .steps_per_bar = 12,
          .loose = 0.012,
          .minor = 0.2,
          .harmony = Harmony::dominant_sevenths,
          .progressions = {"111144115411", "141144115415"},
          .drums = 0.9,
          .grooves = {{{kRide, "xxx xxx xxx xxx"}, {kSnare, "... X.. ... X.?"}, {kKick, "X.. ..x x.. ..."}},
                      {{kHat, "xxx xxx xxx xxx"}, {kSnare, "... X.. ... X.."}, {kKick, "X.. ..x X.. ..?"}},
                      {{kHat, "X.o X.o X.o X.o"}, {kSnare, "..? X.. ..? X.."}, {kKick, "X.. x.. X.. x.."}}},
          .parts = {{.role = "bass",
                     .programs = kBasses,
                     .patterns = {"1.1 3.3 5.5 6.5", "1.1 5.5 1.1 5.5", "1-- 3-- 5-- 7--"},
                     .lowest = 33},
                    {.role = "chords",
                     .programs = kRhythm,
                     .patterns = {"c.c c.c c.c c.c", "ccc ccc ccc ccc", "p.p p.p p.p p.p"},
                     .gate = {0.5, 0.9},
                     .lowest = 50},
                    {.role = "lead",
                     .programs = kLeads,
                     .patterns = {"m-m m-- --. ... | ..m m-m m-- ---", "... ..m mmm m-- | --- ... ... ..."},
                     .lowest = 62,
                     .presence = 0.8}}};
}

Genre classical() {
  return {
      .name = "classical",
      .tempo = {66, 132},
      .loose = 0.018,
      .minor = 0.5,
      .progressions = {"14515145", "1625", "16451641", "15614515"},
      .drums = 0.15,
      .grooves = {{{kTom, "x... .... .... ...."}}, {{kCrash, "o... .... .... ...."}, {kTom, "x... .... x.x. ...."}}},
      .parts = {{.role = "bass",
                 .programs = {32, 42, 43, 48, 0},
                 .patterns = {"1--- ---- ---- ----", "1--- ---- 5--- ----", "1--- 3--- 5--- 3---"},
                 .gate = {0.95, 1.0},
                 .lowest = 36,
                 .presence = 0.8},
                {.role = "chords",
                 .programs = {0, 4, 11, 24, 25, 26, 48},
                 .patterns = {"1535 1535 1535 1535", "1358 5358 1358 5358", "1358 5313 1358 5313"},
                 .gate = {0.7, 1.0},
                 .lowest = 53},
                {.role = "lead",
                 .programs = {0, 40, 48, 56, 65, 71, 73},
                 .patterns = {"m--- ---- m--- m--- | m--- m-m- m--- ----", "m-m- m-m- m--- ---- | mmmm m-m- m--- m---",
                              "mmmm mmmm mmmm m---"},
                 .gate = {0.9, 1.05},
                 .lowest = 65}}};
}

Genre country() {
  return {
      .name = "country",
      .tempo = {92, 132},
      .minor = 0.05,
      .progressions = {"11441155", "1451", "15141551"},
      .grooves = {{{kSnare, "o?Xo o?Xo o?Xo o?Xo"}, {kKick, "X... x... X... x..."}},
                  {{kHat, "..x. ..x. ..x. ..x."}, {kRim, "..X. ..X. ..X. ..X."}, {kKick, "X... x... X... x..."}},
                  {{kMaracas, "xoXo xoXo xoXo xoXo"}, {kKick, "X... X... X... X..."}, {kSnare, "..x. ..x. ..x. ..xo"}}},
      .parts = {{.role = "bass",
                 .programs = kBasses,
                 .patterns = {"1-.. 5-.. 1-.. 5-..", "1-.. 5-.. 1-.. 3.5."},
                 .lowest = 33},
                {.role = "chords",
                 .programs = kRhythm,
                 .patterns = {"..c. ..c. ..c. ..c.", "..cc ..cc ..cc ..cc"},
                 .gate = {0.4, 0.8},
                 .lowest = 52},
                {.role = "lead",
                 .programs = kLeads,
                 .patterns = {"mm.m m.mm m.mm mm..", "m.mm m.mm m.mm m.m."},
                 .gate = {0.5, 0.9},
                 .lowest = 62,
                 .presence = 0.7}}};
}

Genre disco() {
  return {.name = "disco",
          .tempo = {108, 130},
          .minor = 0.6,
          .harmony = Harmony::sevenths,
          .progressions = {"1645", "4365", "6451", "11442255"},
          .grooves = {{{kKick, "X... X... X... X..."}, {kHat, "..X. ..X. ..X. ..X."}, {kClap, ".... X... .... X..."}},
                      {{kKick, "X... X... X... X..."},
                       {kOpenHat, "..X. ..X. ..X. ..X."},
                       {kHat, "xx.x xx.x xx.x xx.x"},
                       {kSnare, ".... X... .... X..."}},
                      {{kKick, "X... X... X... X..."},
                       {kHat, "o.X. o.X. o.X. o.X."},
                       {kTambourine, "xxxx xxxx xxxx xxxx"},
                       {kClap, ".... X... .... X..."}}},
          .parts = {{.role = "bass",
                     .programs = kBasses,
                     .patterns = {"1.8. 1.8. 1.8. 1.8.", "1.81 .81. 1.8. 1.8."},
                     .gate = {0.6, 0.9},
                     .lowest = 33},
                    {.role = "chords",
                     .programs = kRhythm,
                     .patterns = {"..c. .cc. ..c. .cc.", "c..c ..c. c..c ..c."},
                     .gate = {0.4, 0.7},
                     .lowest = 55},
                    {.role = "lead",
                     .programs = kSustained,
                     .patterns = {"m--- ---- m--- ----", "m--- ---- ---- mmmm"},
                     .lowest = 64,
                     .presence = 0.7}}};
}

Genre hiphop() {
  return {.name = "hiphop",
          .tempo = {76, 98},
          .swing = {0.1, 0.35},
          .minor = 0.8,
          .harmony = Harmony::sevenths,
          .progressions = {"1", "14", "1165", "16"},
          .grooves = {{{kKick, "X..? .... ..X. ...."}, {kSnare, ".... X... .... X..."}, {kHat, "x.x. x.x. x.x. x.xx"}},
                      {{kKick, "X.x. .... .xX. ...."}, {kClap, ".... X... .... X..."}, {kHat, "xxxx x.xx xxxx x.x."}},
                      {{kKick, "X... ..x. ..X. ...x"}, {kSnare, ".... X... ...o X..."}, {kHat, "x... x... x... x..."}}},
          .parts = {
              {.role = "bass",
               .programs = kBasses,
               .patterns = {"1--- --.. ..1- ----", "1-.. .... .11- --..", "1--- ---- ---- --5-"},
               .lowest = 28},
              {.role = "chords",
               .programs = kRhythm,
               .patterns = {"c-.. .... .... ....", "...c -... .... ....", "c-.. ..c. .... .... | c-.. .... .... ...."},
               .gate = {0.6, 1.0},
               .lowest = 55},
              {.role = "lead",
               .programs = kLeads,
               .patterns = {".... ..m. ..m- .... | .... .... .... ....", "m.m. .... m... ...."},
               .lowest = 60,
               .presence = 0.5}}};
}

Genre jazz() {
  return {
      .name = "jazz",
      .tempo = {140, 216},
      .steps_per_bar = 12,
      .loose = 0.012,
      .minor = 0.4,
      .harmony = Harmony::sevenths,
      .progressions = {"2511", "16251625", "36251", "14736251"},
      .drums = 0.95,
      .grooves = {{{kRide, "x.. x.x x.. x.x"}, {kFootHat, "... x.. ... x.."}, {kSnare, "..? ... ..? ..."}},
                  {{kRide, "x.. x.x x.. x.x"}, {kFootHat, "... x.. ... x.."}, {kKick, "o.. o.. o.. o.."}},
                  {{kHat, "X.. o.x X.. o.x"}, {kRim, "... x.. ... x.?"}}},
      .parts = {
          {.role = "bass", .programs = kBasses, .patterns = {"w-- w-- w-- w--"}, .gate = {0.8, 1.0}, .lowest = 33},
          {.role = "chords",
           .programs = kRhythm,
           .patterns = {"c-- ..c ... ... | ... ..c ... c..", "... ..c ... ..c", "..c ... ... c.. | ... ... c-- ..."},
           .gate = {0.4, 0.8},
           .lowest = 52},
          {.role = "lead",
           .programs = kLeads,
           .patterns = {"m.m m.m m.m m.m | m-- --. ... ..m", "m.m m.m mmm m.. | ..m m.m m-. ..."},
           .lowest = 60,
           .presence = 0.85}}};
}

Genre metal() {
  return {
      .name = "metal",
      .tempo = {126, 180},
      .minor = 1,
      .progressions = {"1161", "1112", "1167", "1723"},
      .grooves = {{{kKick, "XxXx XxXx XxXx XxXx"}, {kSnare, ".... X... .... X..."}, {kCrash, "x... x... x... x..."}},
                  {{kKick, "X.xx X.xx X.xx X.xx"}, {kSnare, ".... X... .... X..."}, {kHat, "x.x. x.x. x.x. x.x."}},
                  {{kKick, "X.X. X.X. X.X. X.X."}, {kSnare, "..X. ..X. ..X. ..X."}, {kRide, "x.x. x.x. x.x. x.x."}}},
      .parts = {{.role = "bass",
                 .programs = kBasses,
                 .patterns = {"1111 1111 1111 1111", "1.11 1.11 1.11 1.11"},
                 .gate = {0.6, 0.95},
                 .lowest = 28},
                {.role = "chords",
                 .programs = {16, 18, 27, 28, 29, 30},
                 .patterns = {"pppp pppp pppp pppp", "p.pp p.pp p.pp p.pp", "p.pp pp.p p.pp pppp"},
                 .gate = {0.4, 0.9},
                 .lowest = 40},
                {.role = "lead",
                 .programs = {0, 26, 29, 30, 80},
                 .patterns = {"mmmm mmmm mmmm mmmm"},
                 .lowest = 62,
                 .presence = 0.4}}};
}

Genre pop() {
  return {
      .name = "pop",
      .tempo = {84, 116},
      .minor = 0.3,
      .progressions = {"1564", "6415", "1645", "4156"},
      .grooves = {{{kKick, "X... .... X... ...."}, {kSnare, ".... X... .... X..."}, {kHat, "x.x. x.x. x.x. x.x."}},
                  {{kKick, "X... ..x. X... ...."}, {kClap, ".... X... .... X..."}, {kMaracas, "xoxo xoxo xoxo xoxo"}},
                  {{kKick, "X..x .... X..x ...."}, {kSnare, ".... X... .... X..."}, {kHat, "x... x... x... x..."}}},
      .parts = {{.role = "bass",
                 .programs = kBasses,
                 .patterns = {"1--- ---- 1--- ----", "1--- --1- 1--- ----"},
                 .lowest = 33},
                {.role = "chords",
                 .programs = kSustained,
                 .patterns = {"c--- ---- ---- ----", "c--- ---- c--- ----"},
                 .gate = {0.95, 1.0},
                 .lowest = 52},
                {.role = "chords",
                 .programs = kRhythm,
                 .patterns = {"1.5. 8.5. 3.5. 8.5."},
                 .gate = {0.8, 1.0},
                 .lowest = 60,
                 .presence = 0.5},
                {.role = "lead",
                 .programs = kLeads,
                 .patterns = {"m--- m-m- m--- ---- | ..m- m-m- m--- ----", "m-m- m--- ---- .... | m-m- m--- m--- ...."},
                 .lowest = 62,
                 .presence = 0.9}}};
}

Genre reggae() {
  return {.name = "reggae",
          .tempo = {68, 92},
          .minor = 0.5,
          .progressions = {"14", "1245", "1454", "16"},
          .grooves = {{{kHat, "x.x. x.x. x.x. x.x."}, {kKick, ".... .... X... ...."}, {kRim, ".... .... X... ...."}},
                      {{kHat, "..x. ..x. ..x. ..x."}, {kKick, "X... X... X... X..."}, {kRim, ".... .... X... ...."}},
                      {{kHat, "x.xx x.x. x.xx x.x."}, {kKick, ".... .... X... ...."}, {kSnare, ".... .... X... ...?"}}},
          .parts = {{.role = "bass",
                     .programs = kBasses,
                     .patterns = {"1-.1 -.3- 5-.. ....", "..1- 1.3. 5-5. ....", "1-1. ..5. 1-.. 3.5."},
                     .lowest = 28},
                    {.role = "chords",
                     .programs = kRhythm,
                     .patterns = {"..c. ..c. ..c. ..c.", "..cc ..cc ..cc ..cc"},
                     .gate = {0.25, 0.5},
                     .lowest = 55},
                    {.role = "lead",
                     .programs = kLeads,
                     .patterns = {".... ..m- m-m- m--- | ---- ---- .... ...."},
                     .lowest = 60,
                     .presence = 0.5}}};
}

Genre rock() {
  return {
      .name = "rock",
      .tempo = {116, 156},
      .minor = 0.4,
      .progressions = {"1454", "1744", "6415", "1154"},
      .grooves = {{{kKick, "X... .... X.x. ...."}, {kSnare, ".... X... .... X..."}, {kHat, "X.x. X.x. X.x. X.x."}},
                  {{kKick, "X.x. .... X... ...."}, {kSnare, ".... X... .... X..."}, {kRide, "X.x. X.x. X.x. X.x."}},
                  {{kKick, "X... ..X. X... ..x."}, {kSnare, ".... X... .... X..."}, {kOpenHat, "X... X... X... X..."}}},
      .parts = {{.role = "bass",
                 .programs = kBasses,
                 .patterns = {"1.1. 1.1. 1.1. 1.1.", "1-1. 1.1. 1.1. 5.7."},
                 .gate = {0.8, 1.0},
                 .lowest = 28},
                {.role = "chords",
                 .programs = {0, 16, 18, 27, 28, 29, 30},
                 .patterns = {"p-p- p-p- p-p- p-p-", "p--p --p- p--p --p-", "p--- --p- p--- ----"},
                 .gate = {0.8, 1.0},
                 .lowest = 40},
                {.role = "lead",
                 .programs = kLeads,
                 .patterns = {"m--- m-m- m-m- m--- | ---- .... .... ...."},
                 .lowest = 62,
                 .presence = 0.5}}};
}

}  // namespace

std::span<const Genre> genres() {
  static const std::vector<Genre> all = {blues(), classical(), country(), disco(),  hiphop(),
                                         jazz(),  metal(),     pop(),     reggae(), rock()};
  return all;
}

}  // namespace melgrad
