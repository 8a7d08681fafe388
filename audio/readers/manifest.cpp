#include <algorithm>
#include <map>
#include <set>

#include "audio/csv.h"
#include "audio/readers/readers.h"
#include "kernels/error.h"

namespace melgrad {
namespace {

// "guitar; slow" → its parts without blanks around them; no empty ones.
std::set<std::string> parts_of(const std::string& text) {
  std::set<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(';', at), text.size());
    const std::string part = text.substr(at, end - at);
    const std::size_t first = part.find_first_not_of(" \t");
    if (first != std::string::npos) parts.insert(part.substr(first, part.find_last_not_of(" \t") - first + 1));
    at = end + 1;
  }
  return parts;
}

Split split_of(const std::string& text, const std::string& where) {
  if (text.empty()) return Split::unassigned;
  return parse_enum<Split>(where + ": split", text);
}

}  // namespace

ClipList read_manifest(const std::filesystem::path& csv) {
  require(!std::filesystem::is_directory(csv),
          "{}: is a folder; data.reader = manifest expects a CSV file with columns path,labels[,split]", csv.string());
  const CsvTable table(csv);
  const std::size_t path = table.column("path"), labels = table.column("labels");
  std::map<std::string, int32_t> numbers;
  ClipList list;
  for (const CsvRow& row : table.rows()) {
    const auto parts = parts_of(row.fields[labels]);
    list.multi_label = list.multi_label || parts.size() != 1;
    for (const std::string& label : parts) numbers[label];
  }
  for (auto& [label, number] : numbers) {
    check_label(label, csv.string());
    number = static_cast<int32_t>(list.labels.size());
    list.labels.push_back(label);
  }
  std::set<std::string> seen;
  for (const CsvRow& row : table.rows()) {
    const std::string where = fmt::format("{}: line {}", csv.string(), row.line);
    Clip clip{.path = csv.parent_path() / row.fields[path], .name = row.fields[path], .labels = {}};
    require(!clip.name.empty(), "{}: no path", where);
    require(seen.insert(clip.name).second, "{}: '{}' stands there twice", where, clip.name);
    for (const std::string& label : parts_of(row.fields[labels])) clip.labels.push_back(numbers[label]);
    if (table.has("split")) clip.split = split_of(row.fields[table.column("split")], where);
    list.clips.push_back(std::move(clip));
  }
  require(!list.labels.empty(), "{}: no labels in any row", csv.string());
  return list;
}

}  // namespace melgrad
