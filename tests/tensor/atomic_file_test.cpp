#include "tensor/io/atomic_file.h"

#include <doctest/doctest.h>

#include <iterator>
#include <string>
#include <vector>

#include "kernels/error.h"
#include "tests/temporary_folder.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

// The hook, off again at the end of a scope.
class Hook {
 public:
  explicit Hook(FileFaultHook hook) { set_file_fault_hook(std::move(hook)); }
  ~Hook() { set_file_fault_hook({}); }
};

int64_t files_in(const TemporaryFolder& folder) {
  return std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator());
}

TEST_CASE("a file is written, flushed, renamed, and its folder flushed, in this order") {
  const TemporaryFolder folder;
  const fs::path path = folder / "file";
  std::vector<std::string> seen;
  std::vector<fs::path> paths;
  const Hook hook([&](std::string_view operation, const fs::path& at) {
    seen.emplace_back(operation);
    paths.push_back(at);
    // Until the rename has happened nobody sees the new contents.
    CHECK(fs::exists(path) == (seen.size() == 4));
  });
  write_file_atomically(path, "contents");
  CHECK(seen == std::vector<std::string>{"write", "fsync", "rename", "fsync"});
  REQUIRE(paths.size() == 4);
  CHECK(paths[0] != path);
  CHECK(paths[0] == paths[1]);
  CHECK(paths[0].parent_path() == folder.path());
  CHECK(paths[2] == path);
  CHECK(paths[3] == folder.path());
  CHECK(read_file(path) == "contents");
  CHECK(files_in(folder) == 1);
}

TEST_CASE("a large file is written in pieces, an empty one at all") {
  const TemporaryFolder folder;
  std::string contents(3'500'000, 'x');
  for (std::size_t i = 0; i < contents.size(); i += 997) contents[i] = static_cast<char>(i);
  int writes = 0;
  const Hook hook([&](std::string_view operation, const fs::path&) { writes += operation == "write"; });
  write_file_atomically(folder / "large", contents);
  CHECK(writes >= 4);
  CHECK(read_file(folder / "large") == contents);
  write_file_atomically(folder / "large", "");
  CHECK(read_file(folder / "large").empty());
}

TEST_CASE("after a failure at any step the old file stands, or the new one whole") {
  const TemporaryFolder folder;
  const fs::path path = folder / "file";
  for (int fatal = 0; fatal < 4; ++fatal) {
    write_file_atomically(path, "old");
    int step = 0;
    const Hook hook([&](std::string_view operation, const fs::path&) {
      if (step++ == fatal) fail("died at {}", operation);
    });
    CHECK_THROWS_AS(write_file_atomically(path, "new and longer"), Error);
    CHECK(read_file(path) == (fatal < 3 ? "old" : "new and longer"));
    CHECK(files_in(folder) == 1);  // nothing left beside it
  }
}

TEST_CASE("what cannot be written or read is an error that names the file") {
  const TemporaryFolder folder;
  const std::string nowhere = (folder / "no/such/folder/file").string();
  CHECK_THROWS_WITH_AS(write_file_atomically(nowhere, "x"), doctest::Contains(nowhere.c_str()), Error);
  CHECK_THROWS_WITH_AS(read_file(nowhere), (nowhere + ": cannot read: No such file or directory").c_str(), Error);
  fs::create_directory(folder / "directory");
  CHECK_THROWS_AS(write_file_atomically(folder / "directory", "x"), Error);
  CHECK_THROWS_AS(read_file(folder / "directory"), Error);
  write_file_atomically(folder / "file", "12345");
  CHECK_THROWS_AS(write_file_atomically(folder / "file/below", "x"), Error);
  CHECK(read_file(folder / "file", 5) == "12345");
  CHECK_THROWS_WITH_AS(read_file(folder / "file", 4), doctest::Contains("5 bytes, more than the 4 expected at most"),
                       Error);
  CHECK(files_in(folder) == 2);
}

TEST_CASE("a name without a folder is in the working folder") {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  CHECK_NOTHROW(write_file_atomically("file", "x"));
  fs::current_path(before);
  CHECK(read_file(folder / "file") == "x");
}

}  // namespace
}  // namespace melgrad
