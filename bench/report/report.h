// Results as pictures and one HTML page that loads nothing from outside.
#pragma once

#include <string>
#include <vector>

namespace melgrad::bench {

// melgrad-bench report RESULTS.json… --out FOLDER: FOLDER/index.html and the PNGs in it. A result of melgrad-bench gives
// the roofline, one of bench/peers/models.py the bars. Exit status 2 for bad usage.
int report_command(const std::vector<std::string>& arguments);

}  // namespace melgrad::bench
