// One HTML page that holds all it shows: pictures inline, its own style, nothing loaded from outside. It can be mailed,
// archived and opened in any browser, with the network unplugged.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace melgrad {

class HtmlPage {
 public:
  explicit HtmlPage(std::string title) : title_(std::move(title)) {}

  // Text is escaped: names of files and labels may hold anything.
  HtmlPage& heading(std::string_view text);
  HtmlPage& paragraph(std::string_view text);
  // The first row is the header; cells that look like numbers are set to the right.
  HtmlPage& table(const std::vector<std::vector<std::string>>& rows);
  HtmlPage& picture(std::string_view png, std::string_view caption);  // the file's bytes
  HtmlPage& preformatted(std::string_view text);
  // Behind a line that opens and closes it.
  HtmlPage& folded(std::string_view summary, std::string_view text);

  std::string html() const;

 private:
  std::string title_, body_;
};

std::string base64(std::string_view bytes);

}  // namespace melgrad
