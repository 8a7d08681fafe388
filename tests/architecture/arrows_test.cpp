#include "tests/architecture/arrows.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "tests/temporary_folder.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;
using test::broken_arrows;
using test::unlisted_sources;
using Lines = std::vector<std::string>;

std::string joined(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += "\n" + line;
  return text;
}

TEST_CASE("every #include follows an arrow of the house") {
  REQUIRE(fs::exists(fs::path(MELGRAD_SOURCE_DIR) / "layers/dense.cpp"));
  const Lines broken = broken_arrows(MELGRAD_SOURCE_DIR);
  CHECK_MESSAGE(broken.empty(), joined(broken));
}

TEST_CASE("every source file is in its folder's list") {
  const Lines unlisted = unlisted_sources(MELGRAD_SOURCE_DIR);
  CHECK_MESSAGE(unlisted.empty(), joined(unlisted));
}

// A tree of its own to break rules in.
class Tree {
 public:
  void write(const std::string& name, const std::string& text) { folder_.write(name, text); }
  Lines broken() const { return broken_arrows(folder_.path()); }
  Lines unlisted() const { return unlisted_sources(folder_.path()); }

 private:
  test::TemporaryFolder folder_;
};

TEST_CASE("a layer that includes an audio header is found, by file, line and arrow") {
  Tree tree;
  tree.write("layers/dense.cpp", "#include \"layers/dense.h\"\n\n#include \"tensor/tensor.h\"\n");
  CHECK(tree.broken().empty());
  tree.write("layers/front/mel_layer.h", "#pragma once\n\n#include <vector>\n#include \"audio/mel.h\"\n");
  CHECK(tree.broken() == Lines{"layers/front/mel_layer.h:4: layers must not include audio/mel.h"});
}

TEST_CASE("every arrow that is not drawn is refused, every one that is drawn permitted") {
  const Lines folders{"kernels", "tensor", "layers", "optim", "audio", "models", "apps", "tests", "bench", "docs"};
  const std::map<std::string, Lines> permitted{
      {"kernels", {"kernels"}},
      {"tensor", {"kernels", "tensor"}},
      {"layers", {"kernels", "tensor", "layers"}},
      {"optim", {"kernels", "tensor", "optim"}},
      {"audio", {"kernels", "tensor", "audio"}},
      {"models", {"kernels", "tensor", "layers", "models"}},
      {"apps", {"kernels", "tensor", "layers", "optim", "audio", "models", "apps"}},
      {"tests", folders},
      {"bench", folders},
      {"docs", folders},
  };
  for (const std::string& from : folders) {
    for (const std::string& to : folders) {
      Tree tree;
      tree.write(from + "/deep/file.cu", "// a comment\n#include \"" + to + "/header.h\"\n");
      const bool may = std::count(permitted.at(from).begin(), permitted.at(from).end(), to) != 0;
      INFO(from, " -> ", to);
      CHECK(tree.broken() ==
            (may ? Lines{} : Lines{from + "/deep/file.cu:2: " + from + " must not include " + to + "/header.h"}));
    }
  }
}

TEST_CASE("libraries stay in their folders") {
  const struct {
    const char *header, *owner;
  } libraries[] = {{"sndfile.h", "audio"},        {"sndfile.hh", "audio"},     {"soxr.h", "audio"},
                   {"fluidsynth.h", "audio"},     {"Eigen/Dense", "kernels"},  {"cuda_runtime.h", "kernels"},
                   {"cublas_v2.h", "kernels"},    {"cudnn.h", "kernels"},      {"cufft.h", "kernels"},
                   {"cuda/std/array", "kernels"}, {"hwy/highway.h", "kernels"}};
  for (const auto& library : libraries) {
    for (const std::string folder : {"kernels", "tensor", "layers", "optim", "audio", "models", "apps"}) {
      Tree tree;
      tree.write(folder + "/a.h", fmt::format("#include <{}>\n", library.header));
      INFO(folder, " ", library.header);
      CHECK(tree.broken() == (folder == library.owner
                                  ? Lines{}
                                  : Lines{fmt::format("{}/a.h:1: {} must not include <{}>, which is for {} only",
                                                      folder, folder, library.header, library.owner)}));
    }
  }
}

TEST_CASE("an include is seen however it is written, and only where it is one") {
  for (const char* line :
       {"#include \"audio/mel.h\"", "#include <audio/mel.h>", "  #  include\t\"audio/mel.h\"  // why",
        "#include\"audio/mel.h\"", "#include \"../audio/mel.h\"", "#include \"./../audio/mel.h\""}) {
    Tree tree;
    tree.write("layers/a.h", std::string(line) + "\n");
    INFO(line);
    CHECK(tree.broken().size() == 1);
  }
  for (const char* line : {"// #include \"audio/mel.h\"", "const char* text = \"#include <sndfile.h>\";",
                           "#include <audio>", "#include \"conv2d.h\"", "#pragma once"}) {
    Tree tree;
    tree.write("layers/a.h", std::string(line) + "\n");
    INFO(line);
    CHECK(tree.broken().empty());
  }
  Tree tree;
  tree.write("layers/notes.md", "#include \"audio/mel.h\"\n");
  tree.write("layers/a.h", "#include \"audio/mel.h\"");  // without a newline
  CHECK(tree.broken().size() == 1);
}

TEST_CASE("a source file that is in no list is found") {
  Tree tree;
  tree.write("layers/CMakeLists.txt",
             "melgrad_library(layers\n  SOURCES\n    dense.cpp\n    log_mel.cpp\n  # old.cpp\n)\n");
  tree.write("layers/dense.cpp", "");
  tree.write("layers/log_mel.cpp", "");
  tree.write("layers/dense.h", "");
  CHECK(tree.unlisted().empty());
  tree.write("layers/mel.cpp", "");
  tree.write("layers/old.cpp", "");
  tree.write("layers/sub/dense.cpp", "");
  CHECK(tree.unlisted() == Lines{"layers/mel.cpp: in no CMakeLists.txt of its folder",
                                 "layers/old.cpp: in no CMakeLists.txt of its folder",
                                 "layers/sub/dense.cpp: in no CMakeLists.txt of its folder"});
  tree.write("layers/sub/CMakeLists.txt", "target_sources(x PRIVATE dense.cpp)\n");
  CHECK(tree.unlisted().size() == 2);
  tree.write("kernels/cuda/a.cu", "");
  CHECK(tree.unlisted().size() == 3);
}

}  // namespace
}  // namespace melgrad
