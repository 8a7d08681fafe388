#include "audio/csv.h"

#include <algorithm>
#include <charconv>

#include "kernels/error.h"
#include "kernels/utf8.h"
#include "tensor/io/atomic_file.h"

namespace melgrad {
namespace {

constexpr int64_t largest_file = int64_t{1} << 32;

class Parser {
 public:
  Parser(std::string_view text, const std::string& name, char separator)
      : text_(text), name_(name), separator_(separator) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  std::vector<CsvRow> parse() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      CsvRow row = parse_row();
      if (row.fields.size() > 1 || !row.fields.front().empty()) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  bool at_line_end() const {
    return at_ >= text_.size() || text_[at_] == '\n' || (text_[at_] == '\r' && text_.substr(at_).starts_with("\r\n"));
  }

  CsvRow parse_row() {
    CsvRow row{.fields = {}, .line = line_};
    for (;;) {
      row.fields.push_back(at_ < text_.size() && text_[at_] == '"' ? parse_quoted() : parse_plain());
      if (at_line_end()) break;
      ++at_;  // the separator
    }
    if (at_ < text_.size()) at_ += text_[at_] == '\r' ? 2 : 1;
    ++line_;
    return row;
  }

  std::string parse_plain() {
    const std::size_t begin = at_;
    while (!at_line_end() && text_[at_] != separator_) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string parse_quoted() {
    const int64_t opened = line_;
    std::string field;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        if (!text_.substr(at_).starts_with("\"\"")) break;
        ++at_;
      }
      line_ += text_[at_] == '\n' ? 1 : 0;
      field += text_[at_];
    }
    require(at_ < text_.size(), "{}: line {}: a quote that is opened here is never closed", name_, opened);
    ++at_;
    if (!at_line_end() && text_[at_] != separator_)
      fail("{}: line {}: after a closing quote expected the separator or the end of the line, found '{}'", name_, line_,
           printable(text_.substr(at_, 1)));
    return field;
  }

  std::string_view text_;
  const std::string& name_;
  char separator_;
  std::size_t at_ = 0;
  int64_t line_ = 1;
};

}  // namespace

std::vector<CsvRow> parse_csv(std::string_view text, const std::string& name, char separator) {
  return Parser(text, name, separator).parse();
}

CsvTable::CsvTable(const std::filesystem::path& path, char separator) : name_(path.string()) {
  require(std::filesystem::exists(path), "{}: no such file", name_);
  rows_ = parse_csv(read_file(path, largest_file), name_, separator);
  require(!rows_.empty(), "{}: is empty; expected a first row that names the columns", name_);
  columns_ = std::move(rows_.front().fields);
  rows_.erase(rows_.begin());
  for (const CsvRow& row : rows_)
    require(row.fields.size() == columns_.size(), "{}: line {}: {} fields, and the first row names {} columns", name_,
            row.line, row.fields.size(), columns_.size());
}

bool CsvTable::has(std::string_view column) const {
  return std::ranges::find(columns_, column) != columns_.end();
}

std::size_t CsvTable::column(std::string_view column) const {
  const auto found = std::ranges::find(columns_, column);
  if (found == columns_.end()) {
    std::string known;
    for (const std::string& one : columns_) known += (known.empty() ? "" : ", ") + printable(one);
    fail("{}: no column '{}'; the first row names {}", name_, column, known.substr(0, 400));
  }
  return static_cast<std::size_t>(found - columns_.begin());
}

double CsvTable::number(const CsvRow& row, std::size_t column) const {
  const std::string& text = row.fields[column];
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    fail("{}: line {}: {}: '{}' is not a number", name_, row.line, columns_[column], printable(text));
  return value;
}

}  // namespace melgrad
