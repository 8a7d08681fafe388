#include "tests/architecture/arrows.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string_view>

#include "kernels/error.h"

namespace melgrad::test {
namespace {

namespace fs = std::filesystem;

// Everything downstream of each folder, itself included. tests/, bench/ and docs/ may include anything; nothing else
// includes them.
const std::map<std::string, std::set<std::string>> arrows{
    {"kernels", {"kernels"}},
    {"tensor", {"tensor", "kernels"}},
    {"layers", {"layers", "tensor", "kernels"}},
    {"optim", {"optim", "tensor", "kernels"}},
    {"audio", {"audio", "tensor", "kernels"}},
    {"models", {"models", "layers", "tensor", "kernels"}},
    {"apps", {"apps", "models", "layers", "optim", "audio", "tensor", "kernels"}},
};

// Libraries that one folder keeps from the others, by how their headers' names begin.
const std::vector<std::pair<std::string_view, std::string>> kept_libraries{
    {"sndfile", "audio"},
    {"soxr", "audio"},
    {"fluidsynth", "audio"},
    {"Eigen/", "kernels"},
    {"unsupported/Eigen/", "kernels"},
    {"hwy/", "kernels"},
    {"boost/context", "kernels"},
    {"cuda", "kernels"},
    {"cublas", "kernels"},
    {"cudnn", "kernels"},
    {"cufft", "kernels"},
    {"nvrtc", "kernels"},
    {"nvtx", "kernels"},
    {"thrust/", "kernels"},
    {"cub/", "kernels"},
    {"cooperative_groups", "kernels"},
};

bool is_source(const fs::path& path) {
  return path.extension() == ".cpp" || path.extension() == ".cu";
}

bool is_code(const fs::path& path) {
  static const std::set<std::string> extensions{".h", ".hpp", ".inc", ".cuh", ".cc", ".c", ".cpp", ".cu"};
  return extensions.count(path.extension().string()) != 0;
}

// The files of `folder` and below, in order of their names.
std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  if (!fs::is_directory(folder)) return files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

// What an #include line names, without its quotes or brackets; empty if the line is no such thing.
std::string included(std::string_view line) {
  const auto skip_space = [&] { line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size())); };
  skip_space();
  if (!line.starts_with('#')) return "";
  line.remove_prefix(1);
  skip_space();
  if (!line.starts_with("include")) return "";
  line.remove_prefix(7);
  skip_space();
  if (line.empty() || (line[0] != '"' && line[0] != '<')) return "";
  const auto end = line.find(line[0] == '"' ? '"' : '>', 1);
  return end == std::string_view::npos ? "" : std::string(line.substr(1, end - 1));
}

// The first folder of a header's path as seen from the root: "../audio/mel.h" in layers/ is audio's as well.
std::string folder_of(const std::string& header, const fs::path& including_file) {
  const fs::path path =
      header.starts_with(".") ? (including_file.parent_path() / header).lexically_normal() : fs::path(header);
  return std::distance(path.begin(), path.end()) < 2 ? "" : path.begin()->string();
}

// Why `folder` must not include `header`; empty if it may.
std::string objection(const std::string& folder, const std::string& header, const fs::path& file) {
  const std::string target = folder_of(header, file);
  const bool ours = arrows.count(target) != 0 || target == "tests" || target == "bench" || target == "docs";
  if (ours && arrows.at(folder).count(target) == 0) return fmt::format("{} must not include {}", folder, header);
  for (const auto& [library, owner] : kept_libraries) {
    if (!ours && header.starts_with(library) && folder != owner)
      return fmt::format("{} must not include <{}>, which is for {} only", folder, header, owner);
  }
  return "";
}

std::string contents_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Whether `name` stands in a CMake text as a word: "mel.cpp" is not in "log_mel.cpp", nor in a comment.
bool names_file(const std::string& cmake, const std::string& name) {
  constexpr std::string_view around = " \t\n\r()\"";
  for (std::size_t at = cmake.find(name); at != std::string::npos; at = cmake.find(name, at + 1)) {
    const std::size_t line = cmake.rfind('\n', at) + 1;
    const std::size_t end = at + name.size();
    const bool whole = (at == 0 || around.find(cmake[at - 1]) != std::string_view::npos) &&
                       (end == cmake.size() || around.find(cmake[end]) != std::string_view::npos);
    if (whole && cmake.find('#', line) >= at) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> broken_arrows(const fs::path& root) {
  std::vector<std::string> broken;
  for (const auto& arrow : arrows) {
    for (const fs::path& path : files_below(root / arrow.first)) {
      if (!is_code(path)) continue;
      const fs::path file = path.lexically_relative(root);
      std::ifstream text(path);
      std::string line;
      for (int number = 1; std::getline(text, line); ++number) {
        const std::string why = objection(arrow.first, included(line), file);
        if (!why.empty()) broken.push_back(fmt::format("{}:{}: {}", file.string(), number, why));
      }
    }
  }
  return broken;
}

std::vector<std::string> unlisted_sources(const fs::path& root) {
  std::vector<std::string> unlisted;
  std::vector<std::string> folders{"tests", "bench", "docs"};
  for (const auto& arrow : arrows) folders.push_back(arrow.first);
  for (const std::string& folder : folders) {
    for (const fs::path& path : files_below(root / folder)) {
      if (!is_source(path)) continue;
      bool found = false;
      for (fs::path at = path.parent_path(); !found && at != root; at = at.parent_path()) {
        if (fs::exists(at / "CMakeLists.txt"))
          found = names_file(contents_of(at / "CMakeLists.txt"), path.lexically_relative(at).string());
      }
      if (!found) {
        unlisted.push_back(
            fmt::format("{}: in no CMakeLists.txt of its folder", path.lexically_relative(root).string()));
      }
    }
  }
  return unlisted;
}

}  // namespace melgrad::test
