// melgrad info: what this build and this machine offer.
#include <fmt/format.h>

#include <memory>
#include <thread>

#include "apps/command.h"
#include "apps/table.h"
#include "kernels/device.h"
#include "kernels/libraries.h"
#include "kernels/simd.h"

namespace melgrad {
namespace {

void run(const CommonOptions& common) {
  const std::string simd = simd_name();
  const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  if (common.json) {
    Json object{{"version", MELGRAD_VERSION}, {"cpu", devices().front().name}, {"simd", simd},
                {"threads", threads},         {"devices", Json::array()},      {"libraries", Json::array()}};
    for (const DeviceStatus& status : devices()) {
      object["devices"].push_back(
          {{"name", name_of(status.device)}, {"available", status.available}, {"reason", status.reason}});
    }
    for (const LibraryStatus& status : cuda_libraries())
      object["libraries"].push_back({{"name", status.name}, {"path", status.path}, {"reason", status.reason}});
    return print_json(object);
  }
  fmt::print("melgrad {}\nprocessor {}, {} threads, {}\n\n", MELGRAD_VERSION, devices().front().name, threads, simd);
  std::vector<std::vector<std::string>> rows{{"device", "available", "what it is, or why it is not there"}};
  for (const DeviceStatus& status : devices()) {
    rows.push_back({std::string(name_of(status.device)), status.available ? "yes" : "no",
                    status.available ? status.name : status.reason});
  }
  fmt::print("{}", format_table(rows));
  rows = {{"library", "available", "where it is, or why it is not there"}};
  for (const LibraryStatus& status : cuda_libraries())
    rows.push_back(
        {status.name, status.reason.empty() ? "yes" : "no", status.reason.empty() ? status.path : status.reason});
  if (rows.size() > 1) fmt::print("\n{}", format_table(rows));
}

}  // namespace

void add_info_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("info", "what this build and this machine offer");
  auto common = std::make_shared<CommonOptions>();
  add_json_option(*command, *common);
  command->callback([common] { run(*common); });
}

}  // namespace melgrad
