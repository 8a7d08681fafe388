#include "bench/models/model_server.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "bench/models/model_work.h"
#include "bench/stopwatch.h"
#include "kernels/arena.h"
#include "kernels/machine_limits.h"
#include "kernels/simd.h"
#include "tensor/io/npy.h"
#include "tensor/io/safetensors.h"

namespace melgrad::bench {
namespace {

namespace fs = std::filesystem;

class ModelServer {
 public:
  std::string answer(const std::string& line) {
    std::istringstream words(line);
    std::string request;
    words >> request;
    if (request == "ceilings") return ceilings();
    if (request == "memory") return memory();
    if (request == "prepare") return prepare(words);
    if (request == "drop") return drop();
    const std::string id = word(words);
    const auto found = works_.find(id);
    require(found != works_.end(), "{}: no network of that name is prepared", id);
    ModelWork& work = *found->second;
    if (request == "save") return save(work, word(words));
    if (request == "load") return load(work, word(words));
    if (request == "infer") return infer(work, word(words));
    if (request == "gradients") return gradients(work, word(words));
    if (request == "time") return time(work, words);
    if (request == "flops") return std::to_string(work.cost(read_pass(words)).flops);
    fail("unknown request '{}'", request);
  }

 private:
  static std::string word(std::istream& words) {
    std::string text;
    require(static_cast<bool>(words >> text), "a word is missing");
    return text;
  }

  static ModelPass read_pass(std::istream& words) { return parse_enum<ModelPass>("pass", word(words)); }

  static std::string ceilings() {
    const MachineLimits& limits = machine_limits();
    return fmt::format(
        R"({{"fma": {:.6g}, "read": {:.6g}, "write": {:.6g}, "copy": {:.6g}, "processor": "{}", "simd": "{}", "threads": {}}})",
        limits.flops_per_second, limits.read_bytes_per_second, limits.write_bytes_per_second,
        limits.copy_bytes_per_second, devices().front().name, simd_name(), thread_pool().threads());
  }

  // Not getrusage's: a process that was just started has its parent's maximum there.
  static std::string memory() {
    std::ifstream status("/proc/self/status");
    int64_t kilobytes = 0;
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("VmHWM:")) kilobytes = std::stoll(line.substr(6));
    require(kilobytes > 0, "/proc/self/status has no VmHWM");
    return fmt::format("{} {}", kilobytes * 1024, arena(Device::cpu).statistics().peak_in_use);
  }

  std::string prepare(std::istream& words) {
    const std::string id = word(words), model = word(words);
    const int64_t batch = std::stoll(word(words));
    const bool dropout = word(words) != "0";
    std::string dtype = "f32";
    words >> dtype;
    works_[id] = std::make_unique<ModelWork>(model, batch, dropout, parse_enum<DType>("dtype", dtype));
    return "ok";
  }

  std::string drop() {
    works_.clear();
    arena(Device::cpu).release_unused();
    return "ok";
  }

  static std::string save(ModelWork& work, const fs::path& folder) {
    save_safetensors(folder / "weights.safetensors", {.tensors = work.network().values(), .metadata = {}});
    save_npy(folder / "inputs.npy", work.inputs());
    if (work.targets().defined()) save_npy(folder / "targets.npy", work.targets());
    return "ok";
  }

  static std::string load(ModelWork& work, const fs::path& folder) {
    const fs::path path = folder / "weights.safetensors";
    work.network().load(load_safetensors(path).tensors, path.string());
    return "ok";
  }

  static std::string infer(ModelWork& work, const fs::path& folder) {
    save_npy(folder / "output.npy", work.infer());
    return "ok";
  }

  static std::string gradients(ModelWork& work, const fs::path& folder) {
    const double loss = work.train_pass();
    TensorFile file;
    for (const NamedTensor& named : work.network().parameters())
      if (named.tensor.grad().defined()) file.tensors[named.name] = named.tensor.grad();
    save_safetensors(folder / "gradients.safetensors", file);
    return fmt::format("{:.17g}", loss);
  }

  static std::string time(ModelWork& work, std::istream& words) {
    const ModelPass pass = read_pass(words);
    const int repeats = std::stoi(word(words));
    std::string answer;
    for (int i = 0; i < repeats; ++i) {
      const Stopwatch stopwatch;
      work.run(pass);
      answer += fmt::format("{}{:.6f}", i == 0 ? "" : " ", 1e3 * stopwatch.seconds());
    }
    return answer;
  }

  std::map<std::string, std::unique_ptr<ModelWork>> works_;
};

}  // namespace

int serve_models(std::istream& requests, std::ostream& answers) {
  ModelServer server;
  for (std::string line; std::getline(requests, line);) {
    try {
      answers << server.answer(line) << '\n';
    } catch (const std::exception& error) {
      answers << "error: " << error.what() << '\n';
    }
    answers.flush();
  }
  return 0;
}

}  // namespace melgrad::bench
