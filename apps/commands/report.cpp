// melgrad report RUN: everything about a run on one page.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "apps/command.h"
#include "apps/html_page.h"
#include "apps/network_table.h"
#include "apps/run_folder.h"
#include "apps/table.h"
#include "tensor/io/atomic_file.h"

namespace melgrad {
namespace {

using Rows = std::vector<std::vector<std::string>>;

struct Options : CommonOptions {
  std::string run, out;
};

std::string cell_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_float() ? fmt::format("{:.4f}", value.get<double>()) : value.dump();
}

// "roc_auc" -> "roc auc".
std::string words_of(std::string key) {
  std::ranges::replace(key, '_', ' ');
  return key;
}

// A list of objects as a table.
Rows rows_of(const Json& list) {
  Rows rows(1);
  for (const auto& [column, cell] : list.front().items()) rows[0].push_back(words_of(column));
  for (const Json& entry : list) {
    rows.emplace_back();
    for (const auto& [column, cell] : entry.items()) rows.back().push_back(cell_text(cell));
  }
  return rows;
}

// Numbers, texts and intervals, and lists of objects as tables; what is within an object likewise.
// Other lists are curves and matrices, which the pictures show.
void collect(const std::string& prefix, const Json& object, Rows& figures,
             std::vector<std::pair<std::string, Rows>>& tables) {
  for (const auto& [key, value] : object.items()) {
    const std::string name = prefix + words_of(key);
    if (value.is_object()) {
      collect(name + " ", value, figures, tables);
    } else if (key.ends_with("_interval") && value.size() == 2) {
      figures.push_back({name, cell_text(value[0]) + " to " + cell_text(value[1])});
    } else if (value.is_array() && !value.empty() && value.front().is_object()) {
      const bool flat = std::ranges::none_of(value.front(), [](const Json& cell) { return cell.is_structured(); });
      if (flat) tables.emplace_back(name, rows_of(value));
    } else if (!value.is_structured()) {
      figures.push_back({name, cell_text(value)});
    }
  }
}

// What an evaluation has said of a split, as train leaves it in the run's folder.
void add_evaluation(HtmlPage& page, const Json& evaluation) {
  Rows figures{{"measure", "value"}};
  std::vector<std::pair<std::string, Rows>> tables;
  collect("", evaluation, figures, tables);
  page.table(figures);
  for (const auto& [name, rows] : tables) page.paragraph(name).table(rows);
}

// "test-confusion.png" -> "test confusion".
std::string caption_of(const std::filesystem::path& picture) {
  std::string caption = picture.stem().string();
  std::replace(caption.begin(), caption.end(), '-', ' ');
  return caption;
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder, const std::string& extension) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == extension) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::string make_report(const std::filesystem::path& folder) {
  const TrainedNetwork trained = load_trained(folder, {}, Device::cpu);
  const Config& config = trained.config;
  HtmlPage page(fmt::format("{}: {}", folder.filename().string(), network_name(config)));
  page.table({{"what", "of this run"},
              {"recipe", config.recipe},
              {"network", network_name(config)},
              {"parameters", with_commas(trained.network.parameter_count())},
              {"labels", with_commas(static_cast<int64_t>(config.labels.size()))},
              {"input", trained.network.input_shape().to_string()},
              {"seed", std::to_string(config.train.seed)}});
  for (const auto& path : files_in(folder, ".json")) {
    page.heading("Evaluation: " + path.stem().string());
    try {
      add_evaluation(page, Json::parse(read_file(path)));
    } catch (const Json::exception& error) {
      fail("{}: {}", path.string(), error.what());
    }
  }
  page.heading("Pictures");
  for (const auto& path : files_in(folder, ".png")) page.picture(read_file(path), caption_of(path));
  page.heading("Network").table(network_rows(trained.network));
  page.heading("Configuration").folded("config.toml", format_config(config));
  if (std::filesystem::exists(folder / "log.tsv")) page.folded("log.tsv", read_file(folder / "log.tsv"));
  return page.html();
}

void run_report(const Options& options) {
  const std::filesystem::path folder = std::filesystem::weakly_canonical(options.run);
  const std::filesystem::path out = options.out.empty() ? folder / "report.html" : std::filesystem::path(options.out);
  write_file_atomically(out, make_report(folder));
  if (options.json) return print_json({{"run", options.run}, {"report", out.string()}});
  fmt::print("{}\n", out.string());
}

}  // namespace

void add_report_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("report", "everything about a run on one HTML page, nothing loaded from outside");
  auto options = std::make_shared<Options>();
  command->add_option("RUN", options->run, "the folder of a run")->required();
  command->add_option("--out", options->out, "the page to write; RUN/report.html by default");
  add_json_option(*command, *options);
  command->callback([options] { run_report(*options); });
}

}  // namespace melgrad
