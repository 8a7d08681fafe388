// melgrad features AUDIO…: what a frontend makes of whole files, as .npy or as a picture.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

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

struct Parameters {
  FrontendOptions frontend;
  FilePart part;
};

// Sets a key of the frontend, or one of [data] that says which part of a file is taken; "n_fft=512" and
// "frontend.n_fft=512" say the same.
void apply_setting(Parameters& parameters, const std::string& setting) {
  const auto equals = setting.find('=');
  require(equals != std::string::npos, "--set {}: expected key=value, such as n_fft=1024", setting);
  std::string key = setting.substr(0, equals);
  const std::string value = setting.substr(equals + 1);
  for (const char* section : {"frontend.", "data."})
    if (key.starts_with(section)) key.erase(0, std::string_view(section).size());
  if (key == "duration" && (value == "0" || value == "0.0")) {
    parameters.part.reset();
  } else if (key == "duration" || key == "crop" || key == "short") {
    if (!parameters.part) parameters.part.emplace();
    set_option(*parameters.part, "data", key, value);
  } else {
    require(set_option(parameters.frontend, "frontend", key, value),
            "unknown key '{}'; a frontend has {}; of a file there is duration, crop, short", key,
            option_names<FrontendOptions>());
  }
}

Parameters configure(const Options& options) {
  try {
    const FrontendPreset& preset = find_preset(options.preset);
    Parameters parameters{.frontend = preset.options, .part = {}};
    if (preset.clip) {
      parameters.part.emplace();
      apply_clip(*preset.clip, *parameters.part);
    }
    for (const std::string& setting : options.settings) apply_setting(parameters, setting);
    validate(parameters.frontend);
    if (parameters.part) validate(*parameters.part);
    require(!parameters.part || parameters.frontend.kind != FeatureKind::key_spectrogram,
            "a key spectrogram is of the whole file; leave out duration, crop and short");
    return parameters;
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
  const Device device = use_device(options);
  set_threads(options.jobs);
  const Parameters parameters = configure(options);
  const Frontend frontend(parameters.frontend);
  std::optional<DeviceFrontend> on_device;
  if (device != Device::cpu) {
    if (parameters.part)
      throw UsageError(fmt::format("--device {}: takes whole files; add --set duration=0", options.device));
    on_device.emplace(frontend, device);
  }
  const std::filesystem::path out(options.out);
  if (options.audio.size() > 1 && names_one_file(out))
    throw UsageError(fmt::format("--out {}: give a folder for {} files", options.out, options.audio.size()));
  const std::vector<std::filesystem::path> outputs =
      names_one_file(out) ? std::vector{out} : output_files(options.audio, out);
  for (const auto& output : outputs) {
    std::error_code error;
    if (output.has_parent_path()) std::filesystem::create_directories(output.parent_path(), error);
    require(!error, "--out {}: {} cannot be made ({}); give another", options.out, output.parent_path().string(),
            error.message());
  }
  const auto count = static_cast<int64_t>(options.audio.size());
  std::mutex mutex;
  std::vector<std::string> failures(options.audio.size());
  int64_t done = 0, current = 0;
  {
    ProgressBar bar("features", count, "files");
    const auto make = [&](int64_t i) {
      const auto index = static_cast<std::size_t>(i);
      bool skipped = false;
      try {
        skipped = !options.again &&
                  features_are_current(options.audio[index], outputs[index], frontend.options(), parameters.part);
        if (!skipped && on_device)
          write_features(options.audio[index], outputs[index], frontend, *on_device, device);
        else if (!skipped)
          write_features(options.audio[index], outputs[index], frontend, parameters.part);
      } catch (const std::exception& error) {  // memory may also run out, or the disk fail
        const std::string reason = error.what();
        failures[index] = reason.starts_with(options.audio[index])
                              ? reason
                              : fmt::format("{}: {}", options.audio[index], reason.empty() ? "unknown error" : reason);
      }
      const std::lock_guard lock(mutex);
      current += skipped;
      bar.update(++done);
    };
    // A device's kernels fill it with one file; files at a time are for the CPU.
    for (int64_t i = 0; on_device && i < count; ++i) make(i);
    if (!on_device) thread_pool().run(count, make);
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
  command->add_option("--device", options->device, "cpu, simt or cuda; others than cpu take whole files")
      ->capture_default_str();
  command->add_option("--jobs", options->jobs, "files at once; 0: one a processor")->check(CLI::Range(0, 1024));
  command->add_flag("--again", options->again, "also outputs that are there with these parameters, of these files");
  add_json_option(*command, *options);
  command->callback([options] { run(*options); });
}

}  // namespace melgrad
