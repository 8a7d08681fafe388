#include "bench/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "apps/html_page.h"
#include "bench/compare/mann_whitney.h"
#include "bench/parse_arguments.h"
#include "bench/report/charts.h"
#include "kernels/error.h"
#include "tensor/io/atomic_file.h"

namespace melgrad::bench {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

const std::vector<std::string> programs{"melgrad",     "pytorch tuned", "pytorch",
                                        "onnxruntime", "openvino",      "openvino bf16"};

class Report {
 public:
  explicit Report(fs::path folder) : folder_(std::move(folder)), page_("melgrad's benches") {
    fs::create_directories(folder_);
  }

  void add(const fs::path& path) {
    try {
      const Json file = Json::parse(read_file(path));
      file.contains("benchmarks") ? add_benches(file) : add_peers(file);
    } catch (const Json::exception& error) {
      fail("{}: no result of melgrad-bench or of ./run bench peers: {}", path.string(), error.what());
    }
  }

  void save() const { write_file_atomically(folder_ / "index.html", page_.html()); }

 private:
  fs::path picture(const std::string& name) const { return folder_ / (name + ".png"); }
  void show(const fs::path& picture, const std::string& caption) { page_.picture(read_file(picture), caption); }

  void add_benches(const Json& file);
  void add_peers(const Json& file);
  void add_bars(const Json& file, const std::string& pass, int64_t batch);
  void add_aims(const Json& file);

  fs::path folder_;
  HtmlPage page_;
};

std::string family_of(const std::string& name) {
  return name.substr(0, name.find('/'));
}

double number(const Json& row, const char* key) {
  return row.contains(key) ? row.at(key).get<double>() : 0;
}

std::string cell(const Json& row, const char* key, double scale, const char* format) {
  return row.contains(key) ? fmt::format(fmt::runtime(format), number(row, key) * scale) : "";
}

Ceilings ceilings_of(const Json& context) {
  const auto rate = [&](const char* key) { return std::stod(context.at(key).get<std::string>()); };
  return {rate("fma_flops_per_second"), rate("read_bytes_per_second"), rate("write_bytes_per_second"),
          rate("copy_bytes_per_second")};
}

void Report::add_benches(const Json& file) {
  const Json& context = file.at("context");
  const Ceilings ceilings = ceilings_of(context);
  std::vector<std::string> families;
  std::vector<RooflinePoint> points;
  Rows table{{"bench", "time", "GFLOP/s", "GB/s", "flop/B", "fma", "copy", "limit", "bound by"}};
  for (const Json& row : file.at("benchmarks")) {
    if (row.value("run_type", "iteration") != "iteration" || row.value("repetition_index", 0) != 0) continue;
    const std::string name = row.at("run_name").get<std::string>(), label = row.value("label", "");
    const std::string bound = label.starts_with("bound by ") ? label.substr(9) : "";
    table.push_back({name, fmt::format("{:.4g} {}", number(row, "real_time"), row.at("time_unit").get<std::string>()),
                     cell(row, "flop/s", 1e-9, "{:.1f}"), cell(row, "B/s", 1e-9, "{:.1f}"),
                     cell(row, "flop/B", 1, "{:.2f}"), cell(row, "fma", 100, "{:.0f}%"),
                     cell(row, "copy", 100, "{:.0f}%"), cell(row, "limit", 100, "{:.0f}%"), bound});
    if (!row.contains("flop/B")) continue;
    const auto found = std::find(families.begin(), families.end(), family_of(name));
    const auto family = static_cast<std::size_t>(found - families.begin());
    if (found == families.end()) families.push_back(family_of(name));
    points.push_back({.name = name.substr(name.find('/') + 1),
                      .family = family,
                      .intensity = number(row, "flop/B"),
                      .flops = number(row, "flop/s"),
                      .labelled = family_of(name) == "models"});
  }
  page_.heading(fmt::format("{}, {}", context.at("processor").get<std::string>(), context.value("simd", "")));
  page_.paragraph(fmt::format(
      "{:.0f} GFLOP/s of multiply-adds; GB/s: {:.1f} read, {:.1f} written, {:.1f} copied; "
      "measured in the same run, {}.",
      ceilings.fma / 1e9, ceilings.read / 1e9, ceilings.write / 1e9, ceilings.copy / 1e9, context.value("date", "")));
  if (!points.empty()) {
    plot_roofline(picture("roofline"), "Roofline", ceilings, families, points);
    show(picture("roofline"), "flops of the definition a second, over flops a byte of compulsory traffic");
  }
  page_.table(table);
}

void Report::add_bars(const Json& file, const std::string& pass, int64_t batch) {
  BarPicture picture{.title = fmt::format("{}, batch {}: milliseconds a sample, less is better", pass, batch),
                     .axis = "ms a sample (logarithmic)"};
  picture.series = programs;
  std::set<std::size_t> used;
  for (const Json& row : file.at("rows")) {
    if (row.at("pass") != pass || row.at("batch") != batch) continue;
    BarGroup group{.name = row.at("model")};
    for (std::size_t i = 0; i < programs.size(); ++i) {
      if (!row.at("times_ms").contains(programs[i])) continue;
      const auto times = row.at("times_ms").at(programs[i]).get<std::vector<double>>();
      const auto [low, high] = std::minmax_element(times.begin(), times.end());
      const double n = static_cast<double>(batch);
      group.bars.push_back({.series = i, .value = median(times) / n, .low = *low / n, .high = *high / n});
      used.insert(i);
    }
    picture.groups.push_back(std::move(group));
  }
  picture.series.resize(*used.rbegin() + 1);
  const fs::path path = this->picture(fmt::format("{}-{}", pass, batch));
  plot_bars(path, picture);
  show(path, fmt::format("{}, batch {}: medians, whiskers from the smallest to the largest round", pass, batch));
}

std::string aim_name(const Json& aim) {
  return fmt::format("{} {} {}, {}", aim.at("model").get<std::string>(), aim.at("pass").get<std::string>(),
                     aim.at("batch").get<int>(), aim.at("against").get<std::string>());
}

void Report::add_aims(const Json& file) {
  if (file.at("aims").empty()) return;
  BarPicture bars{.title = "Times as fast as the peer, over the aim", .axis = "ratio over aim; the line is the aim"};
  bars.series = {"met", "missed"};
  bars.logarithmic = false;
  bars.mark = 1;
  Rows table{{"what", "ratio", "aim", "met"}};
  for (const Json& aim : file.at("aims")) {
    const double ratio = aim.at("ratio").get<double>(), aimed = aim.at("aim").get<double>();
    const bool met = aim.at("met").get<bool>();
    const double share = ratio / aimed;
    bars.groups.push_back({aim_name(aim), {{.series = met ? 0u : 1u, .value = share, .low = share, .high = share}}});
    table.push_back({aim_name(aim), fmt::format("{:.2f}", ratio), fmt::format("{:.2f}", aimed), met ? "yes" : "no"});
  }
  plot_bars(picture("aims"), bars);
  page_.heading("Against the aims").table(table);
  show(picture("aims"), "each aim's ratio over the aim");
}

void Report::add_peers(const Json& file) {
  std::string versions;
  for (const auto& [name, version] : file.at("versions").items())
    versions += fmt::format(", {} {}", name, version.get<std::string>());
  page_.heading("Beside other programs")
      .paragraph(fmt::format("{}, {} threads, {}, {}{}.", file.at("processor").get<std::string>(),
                             file.at("threads").get<int>(), file.at("system").get<std::string>(),
                             file.at("date").get<std::string>(), versions));
  std::set<std::pair<std::string, int64_t>> pictures;
  Rows table{{"what", "batch", "melgrad ms", "rounds", "fma", "pytorch", "tuned", "onnxruntime", "openvino"}};
  for (const Json& row : file.at("rows")) {
    pictures.emplace(row.at("pass").get<std::string>(), row.at("batch").get<int64_t>());
    const auto ours = row.at("times_ms").at("melgrad").get<std::vector<double>>();
    table.push_back({fmt::format("{} {}", row.at("model").get<std::string>(), row.at("pass").get<std::string>()),
                     std::to_string(row.at("batch").get<int>()), fmt::format("{:.3f}", median(ours)),
                     std::to_string(ours.size()), cell(row, "fma", 100, "{:.0f}%")});
    for (const char* peer : {"pytorch", "pytorch tuned", "onnxruntime", "openvino"})
      table.back().push_back(cell(row.at("ratios"), peer, 1, "{:.2f}"));
  }
  page_.paragraph("Times of melgrad; the last four columns are the peers' times over melgrad's.").table(table);
  add_aims(file);
  for (const auto& [pass, batch] : pictures) add_bars(file, pass, batch);
}

}  // namespace

int report_command(const std::vector<std::string>& arguments) {
  CLI::App app{"Results as pictures and one HTML page.", "melgrad-bench report"};
  std::vector<std::string> results;
  std::string out;
  app.add_option("RESULTS.json", results,
                 "of melgrad-bench (--benchmark_out=F.json) or ./run bench peers --json F.json")
      ->required();
  app.add_option("--out", out, "the folder to write to")->required();
  if (const auto status = parse_arguments(app, arguments)) return *status;
  Report report(out);
  for (const std::string& path : results) report.add(path);
  report.save();
  fmt::print("{}\n", (fs::path(out) / "index.html").string());
  return 0;
}

}  // namespace melgrad::bench
