// A progress bar on stderr: done of total, a rate and the time left. On a terminal it redraws itself; elsewhere it is
// silent, and the lines that callers print suffice.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace melgrad {

class ProgressBar {
 public:
  // "epoch  3/50", and what is counted: "samples".
  ProgressBar(std::string label, int64_t total, std::string unit);
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // May be called from any thread. `note` stands at the end: "loss 0.693".
  void update(int64_t done, const std::string& note = "");
  // Takes the bar off the screen, so that a line can be printed.
  void clear();

 private:
  std::string label_;
  int64_t total_;
  std::string unit_;
  std::chrono::steady_clock::time_point start_, drawn_;
  bool terminal_;
  bool visible_ = false;
  std::mutex mutex_;
};

// "0:07", "12:30", "1:02:03".
std::string format_duration(double seconds);

}  // namespace melgrad
