// The pictures of bench results: the roofline, and bars side by side.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/plots/axes.h"

namespace melgrad::bench {

struct Ceilings {
  double fma = 0;                        // flop/s
  double read = 0, write = 0, copy = 0;  // B/s
};

struct RooflinePoint {
  std::string name{};
  std::size_t family = 0;  // index into the families' names
  double intensity = 0;    // flop/B
  double flops = 0;        // a second
  bool labelled = false;
};

// Flops a second over flops a byte, both logarithmic, below the roof of multiply-adds and memory (Williams, Waterman and
// Patterson, "Roofline", CACM 2009). Points above it come from data in cache, or from Winograd, which does with fewer
// multiply-adds than are counted.
void plot_roofline(const std::filesystem::path& path, const std::string& title, const Ceilings& ceilings,
                   const std::vector<std::string>& families, const std::vector<RooflinePoint>& points);

struct Bar {
  std::size_t series = 0;  // index into the series' names
  double value = 0;
  double low = 0, high = 0;  // the spread, drawn as a whisker; equal to the value: none
};
struct BarGroup {
  std::string name{};
  std::vector<Bar> bars{};
};
struct BarPicture {
  std::string title{}, axis{};
  std::vector<std::string> series{};
  std::vector<BarGroup> groups{};  // from top to bottom
  bool logarithmic = true;
  double mark = 0;  // a line at this value; 0: none
};
void plot_bars(const std::filesystem::path& path, const BarPicture& picture);

}  // namespace melgrad::bench
