// Tables of text: RFC 4180's comma-separated values and their relatives with other separators.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace melgrad {

struct CsvRow {
  std::vector<std::string> fields;
  int64_t line = 0;  // of the file, from 1, where the row begins
};

// Fields may be in double quotes; then they may hold separators, line breaks and, doubled, quotes. Lines end in LF or
// CRLF, the last one in nothing too; empty lines are passed over; a byte order mark is dropped. Throws Error naming
// `name` and the line for a quote that is never closed or is followed by text.
std::vector<CsvRow> parse_csv(std::string_view text, const std::string& name, char separator = ',');

// A table whose first row names its columns.
class CsvTable {
 public:
  // Throws Error naming the file if it cannot be read or is empty, or for a row with another number of fields.
  explicit CsvTable(const std::filesystem::path& path, char separator = ',');

  const std::vector<std::string>& columns() const { return columns_; }
  const std::vector<CsvRow>& rows() const { return rows_; }
  bool has(std::string_view column) const;
  // Throws Error naming the file, and the columns it has, if `column` is none of them.
  std::size_t column(std::string_view column) const;
  // A field as a number; throws Error naming file, line and column for anything else.
  double number(const CsvRow& row, std::size_t column) const;

 private:
  std::string name_;
  std::vector<std::string> columns_;
  std::vector<CsvRow> rows_;
};

}  // namespace melgrad
