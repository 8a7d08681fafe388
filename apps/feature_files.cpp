#include "apps/feature_files.h"

#include <sys/stat.h>

#include "apps/feature_picture.h"
#include "audio/feature_stream.h"
#include "audio/segments.h"
#include "tensor/io/atomic_file.h"
#include "tensor/io/npy.h"

namespace melgrad {
namespace {

std::filesystem::path parameters_of(const std::filesystem::path& out) {
  return std::filesystem::path(out).replace_extension(".toml");
}

// What F.toml must say of this file and these parameters.
std::string description(const std::filesystem::path& audio, const FrontendOptions& options) {
  struct stat status {};
  require(::stat(audio.c_str(), &status) == 0, "{}: no such file; check the path", audio.string());
  return fmt::format("{}\n[source]\nfile = {}\nbytes = {}\nmodified = {}.{:09d}\n", format_options(options),
                     in_quotes(audio.filename().string()), status.st_size, status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec);
}

void write_picture(const std::filesystem::path& audio, const std::filesystem::path& out, const Frontend& frontend) {
  const std::vector<float> samples = load_samples(audio, frontend.options().sample_rate);
  Features features;
  try {
    features = frontend.compute(samples);
  } catch (const Error& error) {
    fail("{}: {}", audio.string(), error.what());
  }
  draw_features(out, audio.filename().string(), frontend.options(), features);
}

}  // namespace

void write_features(const std::filesystem::path& audio, const std::filesystem::path& out, const Frontend& frontend) {
  if (out.extension() == ".png") return write_picture(audio, out, frontend);
  const std::string before = description(audio, frontend.options());
  NpyRowWriter writer(out, frontend.bins());
  stream_features(audio, frontend, [&](const Features& features) { writer.append(features.values); });
  // A killed run leaves no output that is taken for current: the old description goes first, the new one comes last.
  std::filesystem::remove(parameters_of(out));
  writer.commit();
  write_file_atomically(parameters_of(out), before);
}

bool features_are_current(const std::filesystem::path& audio, const std::filesystem::path& out,
                          const FrontendOptions& options) {
  if (out.extension() != ".npy" || !std::filesystem::exists(out) || !std::filesystem::exists(parameters_of(out)) ||
      !std::filesystem::exists(audio))
    return false;
  return read_file(parameters_of(out)) == description(audio, options);
}

}  // namespace melgrad
