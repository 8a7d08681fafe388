#include "apps/html_page.h"

#include <fmt/format.h>

#include "apps/table.h"

namespace melgrad {
namespace {

constexpr std::string_view style = R"css(
body { font: 15px/1.5 "DejaVu Sans", system-ui, sans-serif; color: #222226; max-width: 62rem; margin: 2rem auto;
       padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0.2rem; }
h2 { font-size: 1.15rem; margin-top: 2.2rem; border-bottom: 1px solid #d8d8dc; padding-bottom: 0.2rem; }
table { border-collapse: collapse; font-size: 0.9rem; }
th { text-align: left; border-bottom: 2px solid #222226; padding: 0.2rem 0.9rem 0.2rem 0; }
td { border-bottom: 1px solid #e6e6ea; padding: 0.15rem 0.9rem 0.15rem 0; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
table.pairs td.number { text-align: left; }
figure { margin: 1.2rem 0; }
figure img { max-width: 100%; height: auto; }
figcaption { color: #66666c; font-size: 0.9rem; }
pre { background: #f5f5f7; padding: 0.8rem; overflow-x: auto; font-size: 0.82rem; }
summary { cursor: pointer; color: #1f5aa6; }
)css";

std::string escaped(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else if (c == '>') {
      result += "&gt;";
    } else if (c == '"') {
      result += "&quot;";
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0);
    for (std::size_t i = 0; i < 4; ++i) text += at + i > bytes.size() ? '=' : digits[group >> (18 - 6 * i) & 63];
  }
  return text;
}

HtmlPage& HtmlPage::heading(std::string_view text) {
  body_ += fmt::format("<h2>{}</h2>\n", escaped(text));
  return *this;
}

HtmlPage& HtmlPage::paragraph(std::string_view text) {
  body_ += fmt::format("<p>{}</p>\n", escaped(text));
  return *this;
}

HtmlPage& HtmlPage::table(const std::vector<std::vector<std::string>>& rows) {
  const bool pairs = !rows.empty() && rows.front().size() == 2;  // what, and its value: a column of all kinds
  body_ += pairs ? "<table class=\"pairs\">\n" : "<table>\n";
  for (std::size_t row = 0; row < rows.size(); ++row) {
    body_ += "<tr>";
    for (const std::string& cell : rows[row]) {
      if (row == 0) {
        body_ += fmt::format("<th>{}</th>", escaped(cell));
      } else {
        body_ += fmt::format("<td{}>{}</td>", looks_like_number(cell) ? " class=\"number\"" : "", escaped(cell));
      }
    }
    body_ += "</tr>\n";
  }
  body_ += "</table>\n";
  return *this;
}

HtmlPage& HtmlPage::picture(std::string_view png, std::string_view caption) {
  body_ +=
      fmt::format("<figure><img alt=\"{0}\" src=\"data:image/png;base64,{1}\"><figcaption>{0}</figcaption></figure>\n",
                  escaped(caption), base64(png));
  return *this;
}

HtmlPage& HtmlPage::preformatted(std::string_view text) {
  body_ += fmt::format("<pre>{}</pre>\n", escaped(text));
  return *this;
}

HtmlPage& HtmlPage::folded(std::string_view summary, std::string_view text) {
  body_ += fmt::format("<details><summary>{}</summary><pre>{}</pre></details>\n", escaped(summary), escaped(text));
  return *this;
}

std::string HtmlPage::html() const {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n<title>{0}</title>\n<style>{1}</style>\n"
      "</head>\n<body>\n<h1>{0}</h1>\n{2}</body>\n</html>\n",
      escaped(title_), style, body_);
}

}  // namespace melgrad
