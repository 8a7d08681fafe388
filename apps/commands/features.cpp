// melgrad features AUDIO…: what a frontend makes of whole files, as .npy or as a picture.
#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <mutex>

#include "apps/command.h"
#include "apps/config.h"
#include "apps/plots/plots.h"
#include "apps/progress.h"
#include "audio/frontend.h"
#include "audio/mel.h"
#include "audio/segments.h"
#include "kernels/thread_pool.h"
#include "tensor/io/atomic_file.h"
#include "tensor/io/npy.h"

namespace melgrad {
namespace {

struct Options : CommonOptions {
  std::vector<std::string> audio;
  std::string preset, out;
  std::vector<std::string> settings;
  int jobs = 0;
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

// Names of some bands: frequencies that lie evenly on a mel axis are not even in Hz.
std::vector<plots::Tick> mel_ticks(const FrontendOptions& options) {
  const double low = hz_to_mel(options.fmin, options.mel_scale), high = hz_to_mel(options.fmax_hz(), options.mel_scale);
  std::vector<plots::Tick> ticks;
  for (double hertz : {62.5, 125., 250., 500., 1000., 2000., 4000., 8000., 16000.}) {
    const double share = (hz_to_mel(hertz, options.mel_scale) - low) / (high - low);
    if (share >= 0.02 && share <= 1)
      ticks.push_back({share * static_cast<double>(options.mels), fmt::format("{:g}", hertz)});
  }
  return ticks;
}

std::vector<plots::Tick> linear_ticks(const FrontendOptions& options, int64_t bins) {
  std::vector<plots::Tick> ticks;
  const double nyquist = static_cast<double>(options.sample_rate) / 2;
  const double step = std::pow(10, std::floor(std::log10(nyquist / 3)));
  const double stride = nyquist / step > 6 ? 2 * step : step;
  for (double hertz = 0; hertz <= nyquist; hertz += stride)
    ticks.push_back({hertz / nyquist * static_cast<double>(bins), fmt::format("{:g}", hertz)});
  return ticks;
}

void draw(const std::filesystem::path& path, const std::string& title, const FrontendOptions& options,
          const Features& features) {
  const bool cepstral = options.mfcc > 0;
  const char* unit = cepstral ? "value" : options.log == LogScale::db ? "dB" : "value";
  plots::plot_feature(path, {.title = title,
                             .values = {features.values, features.frames, features.bins},
                             .hop_seconds = static_cast<double>(options.hop) / static_cast<double>(options.sample_rate),
                             .ticks = cepstral           ? std::vector<plots::Tick>{}
                                      : options.mels > 0 ? mel_ticks(options)
                                                         : linear_ticks(options, features.bins),
                             .axis_label = cepstral ? "coefficient" : "Hz",
                             .value_label = unit,
                             .around_zero = cepstral});
}

// One file: F.npy with its parameters in F.toml, or F.png.
void write_features(const std::filesystem::path& audio, const std::filesystem::path& out, const Frontend& frontend) {
  const FrontendOptions& options = frontend.options();
  const std::vector<float> samples = load_samples(audio, options.sample_rate);
  Features features;
  try {
    features = frontend.compute(samples);
  } catch (const Error& error) {
    fail("{}: {}", audio.string(), error.what());
  }
  if (out.extension() == ".png") return draw(out, audio.filename().string(), options, features);
  save_npy(out, Tensor::from(features.values, {features.frames, features.bins}));
  std::filesystem::path parameters = out;
  write_file_atomically(parameters.replace_extension(".toml"), format_options(options));
}

bool names_one_file(const std::filesystem::path& out) {
  return out.extension() == ".npy" || out.extension() == ".png";
}

void run(const Options& options) {
  set_threads(options.jobs);
  const Frontend frontend(configure(options));
  const std::filesystem::path out(options.out);
  if (options.audio.size() > 1 && names_one_file(out))
    throw UsageError(fmt::format("--out {}: give a folder for {} files", options.out, options.audio.size()));
  std::vector<std::filesystem::path> outputs;
  for (const std::string& audio : options.audio) {
    const auto stem = std::filesystem::path(audio).stem().string();
    outputs.push_back(names_one_file(out) ? out : out / (stem + ".npy"));
  }
  for (std::size_t i = 0; i < outputs.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      require(outputs[i] != outputs[j], "{} and {} would both become {}; give them to two calls", options.audio[j],
              options.audio[i], outputs[i].string());
  if (!names_one_file(out)) std::filesystem::create_directories(out);

  std::mutex mutex;
  std::vector<std::string> failures(options.audio.size());
  int64_t done = 0;
  {
    ProgressBar bar("features", static_cast<int64_t>(options.audio.size()), "files");
    thread_pool().run(static_cast<int64_t>(options.audio.size()), [&](int64_t i) {
      const auto index = static_cast<std::size_t>(i);
      try {
        write_features(options.audio[index], outputs[index], frontend);
      } catch (const Error& error) {
        failures[index] = error.what();
      }
      const std::lock_guard lock(mutex);
      bar.update(++done);
    });
  }
  std::erase(failures, "");
  if (options.audio.size() > 1)
    for (const std::string& failure : failures) fmt::print(stderr, "{}\n", failure);
  Json object{{"files", options.audio.size()}, {"failed", failures.size()}, {"out", options.out}};
  if (options.json) print_json(object);
  require(failures.empty(), "{}",
          failures.size() == 1 ? failures.front()
                               : fmt::format("{} of {} files failed", failures.size(), options.audio.size()));
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
  add_json_option(*command, *options);
  command->callback([options] { run(*options); });
}

}  // namespace melgrad
