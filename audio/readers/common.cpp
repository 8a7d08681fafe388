// What the readers have in common.
#include "audio/readers/readers.h"

#include <algorithm>
#include <array>
#include <fstream>

#include "kernels/utf8.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

constexpr std::array audio_extensions{".wav",  ".flac", ".ogg", ".oga", ".opus", ".mp3",  ".aif",
                                      ".aiff", ".aifc", ".au",  ".snd", ".w64",  ".rf64", ".caf",
                                      ".wve",  ".voc",  ".mp2", ".m1a", ".nist", ".sph"};

std::string trimmed(const std::string& line) {
  constexpr const char* blank = " \t\r\n";
  const auto begin = line.find_first_not_of(blank);
  return begin == std::string::npos ? "" : line.substr(begin, line.find_last_not_of(blank) - begin + 1);
}

}  // namespace

bool has_audio_extension(const fs::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; });
  return std::ranges::find(audio_extensions, extension) != audio_extensions.end();
}

void check_data_folder(const fs::path& folder, std::string_view expected) {
  std::error_code error;
  require(fs::exists(folder, error), "{}: no such folder; give a data set's folder, with {}", folder.string(),
          expected);
  require(fs::is_directory(folder, error), "{}: not a folder; give a data set's folder, with {}", folder.string(),
          expected);
}

std::vector<fs::directory_entry> sorted_entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::directory_entry> list;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (!it->path().filename().string().starts_with('.')) list.push_back(*it);
  }
  require(!error, "{}: cannot be listed: {}", folder.string(), error.message());
  std::ranges::sort(list, {}, [](const fs::directory_entry& entry) { return entry.path().filename().string(); });
  return list;
}

std::vector<std::string> read_lines(const fs::path& path, std::string_view of_what) {
  std::ifstream file(path);
  require(file.is_open(), "{}: cannot be read; expected a file of {}", path.string(), of_what);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    std::string text = trimmed(line);
    if (!text.empty()) lines.push_back(std::move(text));
  }
  require(!lines.empty(), "{}: has no lines; expected one a line: {}", path.string(), of_what);
  return lines;
}

void check_label(const std::string& label, const std::string& where) {
  require(printable(label) == label, "{}: the name of class '{}' is not UTF-8 or has control characters; rename it",
          printable(where), printable(label));
}

}  // namespace melgrad
