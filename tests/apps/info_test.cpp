// What `melgrad info` says of GPUs and libraries: the program beside a CUDA module whose driver is the environment's
// (tests/apps/fake_cuda/cuda_runtime.h), and libraries that are empty files of the right name.
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/apps/program.h"

namespace melgrad::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A folder with the program, with or without a CUDA module.
class Installation {
 public:
  explicit Installation(bool with_module) {
    fs::copy_file(MELGRAD_PROGRAM, program());
    if (with_module) fs::copy_file(MELGRAD_FAKE_MODULE, folder_ / "libmelgrad_cuda.so");
  }
  const TemporaryFolder& folder() const { return folder_; }

  std::string text(const Environment& environment) const { return run_program({"info"}, environment, program()).out; }
  json object(const Environment& environment) const {
    return json::parse(run_program({"info", "--json"}, environment, program()).out);
  }
  // Why there is no cuda device; empty if there is one.
  std::string reason(const Environment& environment) const {
    const json cuda = object(environment)["devices"][2];
    CHECK(cuda["available"] == (cuda["reason"] == ""));
    return cuda["reason"];
  }

  // An empty library of this name in a folder of the installation.
  void add_library(const fs::path& name) const {
    fs::create_directories((folder_ / name).parent_path());
    fs::copy_file(MELGRAD_EMPTY_LIBRARY, folder_ / name);
  }

 private:
  fs::path program() const { return folder_ / "melgrad"; }

  TemporaryFolder folder_;
};

TEST_CASE("info: a GPU, or one line that says why there is none") {
  const Installation installation(true);
  CHECK(installation.reason({{"MELGRAD_FAKE_DRIVER", "13020"}, {"MELGRAD_FAKE_GPU", "90"}}) == "");
  CHECK(installation.text({{"MELGRAD_FAKE_DRIVER", "13020"}, {"MELGRAD_FAKE_GPU", "90"}}).find("Fake GPU") !=
        std::string::npos);
  CHECK(installation.reason({}) == "no NVIDIA driver");
  CHECK(installation.reason({{"MELGRAD_FAKE_DRIVER", "12080"}, {"MELGRAD_FAKE_GPU", "90"}}) ==
        "the NVIDIA driver is too old: it supports CUDA 12.8, this build needs 13.0");
  CHECK(installation.reason({{"MELGRAD_FAKE_DRIVER", "13000"}}) == "no GPU");
  CHECK(installation.reason({{"MELGRAD_FAKE_DRIVER", "13000"}, {"MELGRAD_FAKE_GPU", "75"}}) ==
        "Fake GPU has compute capability 7.5, this build needs 8.0");
  CHECK(installation.reason({{"MELGRAD_FAKE_DRIVER", "13000"}, {"MELGRAD_FAKE_ERROR", "system not yet initialized"}}) ==
        "the NVIDIA driver says: system not yet initialized");
}

TEST_CASE("info: without a CUDA module, or with one that is broken, one line, and no libraries") {
  const Installation bare(false);
  const std::string reason = bare.reason({});
  CHECK(reason.find("this build has no CUDA module") == 0);
  CHECK(bare.object({})["libraries"].empty());
  CHECK(bare.text({}).find("library") == std::string::npos);
  std::ofstream(bare.folder() / "libmelgrad_cuda.so") << "no library";
  CHECK(bare.reason({}).find("the CUDA module cannot be loaded: ") == 0);
}

TEST_CASE("info: each library and where it was found: by the loader, in CUDA's folder, in a Python environment") {
  const Installation installation(true);
  installation.add_library("loader/libcublas.so.13");
  installation.add_library("cuda/lib64/libcufft.so.12");
  installation.add_library("venv/lib/python3.12/site-packages/nvidia/cudnn/lib/libcudnn.so.9");
  const auto at = [&](const char* name) { return (installation.folder() / name).string(); };
  const json libraries = installation.object(
      {{"LD_LIBRARY_PATH", at("loader")}, {"CUDA_HOME", at("cuda")}, {"VIRTUAL_ENV", at("venv")}})["libraries"];
  REQUIRE(libraries.size() == 3);
  CHECK(libraries[0]["name"] == "cuBLAS");
  CHECK(libraries[0]["path"] == at("loader/libcublas.so.13"));
  CHECK(libraries[1]["name"] == "cuDNN");
  CHECK(libraries[2]["name"] == "cuFFT");
  for (const json& library : libraries) CHECK(library["reason"] == "");
  // A machine's own libraries, where it has any, come after CUDA_HOME's; only the loader's come before.
  if (libraries[2]["path"].get<std::string>().find(installation.folder().path().string()) == 0)
    CHECK(libraries[2]["path"] == at("cuda/lib64/libcufft.so.12"));
  if (libraries[1]["path"].get<std::string>().find(installation.folder().path().string()) == 0)
    CHECK(libraries[1]["path"] == at("venv/lib/python3.12/site-packages/nvidia/cudnn/lib/libcudnn.so.9"));
}

TEST_CASE("info: a library that is missing or broken is one line that says what to do") {
  const Installation installation(true);
  fs::create_directories(installation.folder() / "loader");
  std::ofstream(installation.folder() / "loader/libcublas.so.13") << "a file that is no library, and not short either";
  const Environment environment{{"LD_LIBRARY_PATH", (installation.folder() / "loader").string()}};
  for (const json& library : installation.object(environment)["libraries"]) {
    const std::string name = library["name"], path = library["path"], reason = library["reason"];
    CHECK(path.empty() != reason.empty());
    if (reason.empty()) continue;  // this machine has it
    CHECK(reason.find('\n') == std::string::npos);
    if (name == "cuBLAS")
      CHECK(reason.find("it cannot be loaded: ") == 0);
    else
      CHECK(reason.find(" is not there: install it, or name its folder in LD_LIBRARY_PATH") != std::string::npos);
    CHECK(installation.text(environment).find(name + " ") != std::string::npos);
    CHECK(installation.text(environment).find(reason) != std::string::npos);
  }
}

}  // namespace
}  // namespace melgrad::test
