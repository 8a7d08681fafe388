// Which folder may include what: the arrows of "The house", checked on the text of the source files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace melgrad::test {

// One line a broken rule: "layers/dense.cpp:3: layers must not include audio/mel.h". Empty when all is well, and also
// where `root` has none of the folders.
std::vector<std::string> broken_arrows(const std::filesystem::path& root);

// One line a source file (.cpp, .cu) that no CMakeLists.txt of its folder or one above names.
std::vector<std::string> unlisted_sources(const std::filesystem::path& root);

}  // namespace melgrad::test
