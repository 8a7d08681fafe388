#include "apps/checkpoint.h"

#include <cstdlib>

#include "tensor/io/safetensors.h"

namespace melgrad {
namespace {

constexpr std::string_view optimizer_prefix = "optimizer/", average_prefix = "average/";

// Bit for bit: decimal digits would round.
std::string exact(double value) {
  return fmt::format("{:a}", value);
}

std::string exact(const std::vector<double>& values) {
  std::string text;
  for (double value : values) text += exact(value) + " ";
  return text;
}

std::vector<double> exact_numbers(const std::string& text) {
  std::vector<double> values;
  const char* at = text.c_str();
  for (char* end = nullptr;; at = end) {
    const double value = std::strtod(at, &end);
    if (end == at) return values;
    values.push_back(value);
  }
}

// The tensors whose names begin so, without that.
std::map<std::string, Tensor> with_prefix(const std::map<std::string, Tensor>& tensors, std::string_view prefix) {
  std::map<std::string, Tensor> found;
  for (const auto& [name, tensor] : tensors)
    if (name.starts_with(prefix)) found[name.substr(prefix.size())] = tensor;
  return found;
}

void add_with_prefix(std::map<std::string, Tensor>& tensors, std::string_view prefix,
                     const std::map<std::string, Tensor>& more) {
  for (const auto& [name, tensor] : more) tensors[std::string(prefix) + name] = tensor;
}

class Metadata {
 public:
  Metadata(const std::map<std::string, std::string>& values, std::string source)
      : values_(values), source_(std::move(source)) {}
  const std::string& text(const std::string& key) const {
    const auto found = values_.find(key);
    require(found != values_.end(), "{}: not a checkpoint of a training run: no '{}'", source_, key);
    return found->second;
  }
  int64_t integer(const std::string& key) const { return std::strtoll(text(key).c_str(), nullptr, 10); }
  uint64_t hash(const std::string& key) const { return std::strtoull(text(key).c_str(), nullptr, 16); }
  double number(const std::string& key) const { return std::strtod(text(key).c_str(), nullptr); }

 private:
  const std::map<std::string, std::string>& values_;
  std::string source_;
};

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const Sequential& network, const Optimizer& optimizer,
                     const MovingAverage* average, const Progress& progress) {
  TensorFile file;
  file.tensors = network.values();
  add_with_prefix(file.tensors, optimizer_prefix, optimizer.state());
  if (average != nullptr) add_with_prefix(file.tensors, average_prefix, average->state());
  file.metadata = {{"format", "melgrad checkpoint 1"},
                   {"epoch", std::to_string(progress.epoch)},
                   {"step_in_epoch", std::to_string(progress.step_in_epoch)},
                   {"step", std::to_string(progress.step)},
                   {"loss_sum", exact(progress.loss_sum)},
                   {"correct", exact(progress.correct)},
                   {"best_epoch", std::to_string(progress.best_epoch)},
                   {"best_loss", exact(progress.best_loss)},
                   {"valid_losses", exact(progress.valid_losses)},
                   {"log", progress.log},
                   {"data", fmt::format("{:016x}", progress.data)},
                   {"finished", progress.finished ? "1" : "0"},
                   {"optimizer_steps", std::to_string(optimizer.steps())}};
  save_safetensors(path, file);
}

Progress load_checkpoint(const std::filesystem::path& path, Sequential& network, Optimizer& optimizer,
                         MovingAverage* average) {
  const TensorFile file = load_safetensors(path);
  const Metadata metadata(file.metadata, path.string());
  require(metadata.text("format") == "melgrad checkpoint 1", "{}: a checkpoint of another version ('{}')",
          path.string(), metadata.text("format"));
  network.load(file.tensors, path.string());
  optimizer.load(metadata.integer("optimizer_steps"), with_prefix(file.tensors, optimizer_prefix), path.string());
  if (average != nullptr) average->load(with_prefix(file.tensors, average_prefix), path.string());
  Progress progress;
  progress.epoch = metadata.integer("epoch");
  progress.step_in_epoch = metadata.integer("step_in_epoch");
  progress.step = metadata.integer("step");
  progress.loss_sum = metadata.number("loss_sum");
  progress.correct = metadata.number("correct");
  progress.best_epoch = metadata.integer("best_epoch");
  progress.best_loss = metadata.number("best_loss");
  progress.valid_losses = exact_numbers(metadata.text("valid_losses"));
  progress.log = metadata.text("log");
  progress.data = metadata.hash("data");
  progress.finished = metadata.text("finished") == "1";
  return progress;
}

void save_weights(const std::filesystem::path& path, const Sequential& network,
                  const std::map<std::string, std::string>& metadata) {
  save_safetensors(path, {network.values(), metadata});
}

}  // namespace melgrad
