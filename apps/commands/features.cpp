// melgrad features AUDIO…: what a frontend makes of whole files, as .npy or as a picture.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>

#include "apps/command.h"
#include "apps/config.h"
#include "apps/feature_files.h"
#include "apps/progress.h"
#include "kernels/thread_pool.h"

namespace melgrad {
namespace {

struct Options : CommonOptions {
  std::vector<std::string> audio;
  std::string preset, out;
  std::vector<std::string> settings;
  int jobs = 0;
  bool again = false;
};

FrontendOptions configure(const Options& options) {
  try {
    FrontendOptions frontend = frontend_preset(options.preset);
    for (const std::string& setting : options.settings) {
      // "n_fft=512" and "frontend.n_fft=512" say the same.
      const std::string text = setting.starts_with("frontend.") ? setting.substr(9) : setting;
      const auto equals = text.find('=');
      require(equals != std::string::npos, "--set {}: expected key=value, such as n_fft=1024", setting);
      require(set_option(frontend, "frontend", text.substr(0, equals), text.substr(equals + 1)),
              "unknown key '{}'; a frontend has {}", text.substr(0, equals), option_names<FrontendOptions>());
    }
    validate(frontend);
    return frontend;
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

bool names_one_file(const std::filesystem::path& out) {
  return out.extension() == ".npy" || out.extension() == ".png";
}

// The folder that holds all files.
std::filesystem::path common_folder(const std::vector<std::filesystem::path>& files) {
  std::filesystem::path folder = files.front().parent_path();
  const auto outside = [&](const std::filesystem::path& file) {
    return file.lexically_relative(folder).string().starts_with("..");
  };
  while (folder != folder.parent_path() && std::any_of(files.begin(), files.end(), outside))
    folder = folder.parent_path();
  return folder;
}

// One .npy a file, in folders as the files lie below the folder that they have in common: names from different folders
// do not collide.
std::vector<std::filesystem::path> output_files(const std::vector<std::string>& audio,
                                                const std::filesystem::path& out) {
  std::vector<std::filesystem::path> files, outputs;
  for (const std::string& name : audio) files.push_back(std::filesystem::absolute(name).lexically_normal());
  const std::filesystem::path common = common_folder(files);
  std::map<std::filesystem::path, std::string> taken;
  for (std::size_t i = 0; i < files.size(); ++i) {
    outputs.push_back(out / files[i].lexically_relative(common).replace_extension(".npy"));
    const auto [first, fresh] = taken.emplace(outputs.back(), audio[i]);
    require(fresh, "{} and {} would both become {}; give them to two calls", first->second, audio[i],
            outputs.back().string());
  }
  return outputs;
}

// What was done, the failed files by name, and status 1 if there are any.
void report(const Options& options, std::vector<std::string> failures, int64_t current) {
  std::erase(failures, "");
  if (options.json)
    print_json(
        {{"files", options.audio.size()}, {"failed", failures.size()}, {"current", current}, {"out", options.out}});
  if (options.audio.size() == 1) {
    require(failures.empty(), "{}", failures.empty() ? "" : failures.front());
    return;
  }
  fmt::print(stderr, "{} files: {} made, {} as they are, {} failed\n", options.audio.size(),
             options.audio.size() - failures.size() - static_cast<std::size_t>(current), current, failures.size());
  for (const std::string& failure : failures) fmt::print(stderr, "  {}\n", failure);
  require(failures.empty(), "{} of {} files failed", failures.size(), options.audio.size());
}

void run(const Options& options) {
  set_threads(options.jobs);
  const Frontend frontend(configure(options));
  const std::filesystem::path out(options.out);
  if (options.audio.size() > 1 && names_one_file(out))
    throw UsageError(fmt::format("--out {}: give a folder for {} files", options.out, options.audio.size()));
  const std::vector<std::filesystem::path> outputs =
      names_one_file(out) ? std::vector{out} : output_files(options.audio, out);
  for (const auto& output : outputs)
    if (output.has_parent_path()) std::filesystem::create_directories(output.parent_path());
  const auto count = static_cast<int64_t>(options.audio.size());
  std::mutex mutex;
  std::vector<std::string> failures(options.audio.size());
  int64_t done = 0, current = 0;
  {
    ProgressBar bar("features", count, "files");
    thread_pool().run(count, [&](int64_t i) {
      const auto index = static_cast<std::size_t>(i);
      bool skipped = false;
      try {
        skipped = !options.again && features_are_current(options.audio[index], outputs[index], frontend.options());
        if (!skipped) write_features(options.audio[index], outputs[index], frontend);
      } catch (const Error& error) {
        failures[index] = error.what();
      }
      const std::lock_guard lock(mutex);
      current += skipped;
      bar.update(++done);
    });
  }
  report(options, failures, current);
}

}  // namespace

void add_features_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("features", "what a frontend makes of audio files, as .npy or .png");
  auto options = std::make_shared<Options>();
  command->add_option("AUDIO", options->audio, "audio files")->required();
  command->add_option("--preset", options->preset, "the frontend; melgrad presets lists them")->required();
  command->add_option("--out", options->out, "F.npy (with F.toml) or F.png; a folder for several inputs")->required();
  command->add_option("--set", options->settings, "key=value, over the preset's")->allow_extra_args(false);
  command->add_option("--jobs", options->jobs, "files at once; 0: one a processor")->check(CLI::NonNegativeNumber);
  command->add_flag("--again", options->again, "also outputs that are there with these parameters, of these files");
  add_json_option(*command, *options);
  command->callback([options] { run(*options); });
}

}  // namespace melgrad
