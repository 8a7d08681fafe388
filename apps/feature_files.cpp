#include "apps/feature_files.h"

#include <sstream>

#include "apps/feature_picture.h"
#include "audio/feature_stream.h"
#include "audio/file_stamp.h"
#include "audio/segments.h"
#include "tensor/io/atomic_file.h"
#include "tensor/io/npy.h"

namespace melgrad {
namespace {

std::filesystem::path parameters_of(const std::filesystem::path& out) {
  return std::filesystem::path(out).replace_extension(".toml");
}

// What F.toml must say of this file and these parameters.
std::string description(const std::filesystem::path& audio, const FrontendOptions& options, const FilePart& part) {
  const std::optional<FileStamp> stamp = stamp_of(audio);
  require(stamp.has_value(), "{}: no such file; check the path", audio.string());
  std::string data;
  if (part) {
    data = "\n[data]\n";
    DataOptions::visit(*part, [&](std::string_view key, const auto& value) {
      if (key == "duration" || key == "crop" || key == "short")
        data += fmt::format("{} = {}\n", key, option_to_text(value));
    });
  }
  return fmt::format("{}{}\n[source]\nfile = {}\nbytes = {}\nmodified = {}\n", format_options(options), data,
                     in_quotes(audio.filename().string()), stamp->bytes, stamp->modified);
}

Features compute_part(const std::filesystem::path& audio, const Frontend& frontend, const DataOptions& part) {
  const std::vector<float> samples = load_clip(audio, frontend, part);
  try {
    const auto wanted = static_cast<std::size_t>(make_cut(frontend, part).clip_samples());
    if (part.short_clips == ShortClips::skip && samples.size() < wanted) return frontend.compute(samples);
    SegmentFeatures features = analyse_clip(samples, frontend, part);  // of one segment
    return {.frames = features.frames, .bins = features.bins, .values = std::move(features.values)};
  } catch (const Error& error) {
    fail("{}: {}", audio.string(), error.what());
  }
}

Features compute_on(Device device, const DeviceFrontend& on_device, const std::filesystem::path& audio,
                    const Frontend& frontend) {
  const std::vector<float> samples = load_samples(audio, frontend.options().sample_rate);
  try {
    const Tensor signal = Tensor::from(samples, {1, static_cast<int64_t>(samples.size())}, device);
    const Tensor features = on_device.compute(signal).to(Device::cpu);
    return {.frames = features.shape()[1],
            .bins = features.shape()[2],
            .values = {features.data<float>().begin(), features.data<float>().end()}};
  } catch (const Error& error) {
    fail("{}: {}", audio.string(), error.what());
  }
}

Features compute_whole(const std::filesystem::path& audio, const Frontend& frontend) {
  Features all{.frames = 0, .bins = frontend.bins(), .values = {}};
  all.frames = stream_features(audio, frontend, [&](const Features& some) {
    all.values.insert(all.values.end(), some.values.begin(), some.values.end());
  });
  return all;
}

// make(append) hands append() the features, piece by piece.
template <class Make>
void write_npy(const std::filesystem::path& audio, const std::filesystem::path& out, const Frontend& frontend,
               const FilePart& part, const Make& make) {
  const std::string before = description(audio, frontend.options(), part);
  NpyRowWriter writer(out, frontend.bins());
  make([&](const Features& features) { writer.append(features.values); });
  // A killed run leaves no output that is taken for current: the old description goes first, the new one comes last.
  std::filesystem::remove(parameters_of(out));
  writer.commit();
  write_file_atomically(parameters_of(out), before);
}

}  // namespace

void write_features(const std::filesystem::path& audio, const std::filesystem::path& out, const Frontend& frontend,
                    const FilePart& part) {
  if (out.extension() == ".png")
    return draw_features(out, audio.filename().string(), frontend.options(),
                         part ? compute_part(audio, frontend, *part) : compute_whole(audio, frontend));
  write_npy(audio, out, frontend, part, [&](const auto& append) {
    part ? append(compute_part(audio, frontend, *part)) : (void)stream_features(audio, frontend, append);
  });
}

void write_features(const std::filesystem::path& audio, const std::filesystem::path& out, const Frontend& frontend,
                    const DeviceFrontend& on_device, Device device) {
  const auto compute = [&] { return compute_on(device, on_device, audio, frontend); };
  if (out.extension() == ".png") return draw_features(out, audio.filename().string(), frontend.options(), compute());
  write_npy(audio, out, frontend, {}, [&](const auto& append) { append(compute()); });
}

void check_frontend_of(const std::filesystem::path& features, const FrontendOptions& options) {
  if (!std::filesystem::exists(parameters_of(features))) return;
  std::istringstream expected(format_options(options)), found(read_file(parameters_of(features)));
  bool first = true;
  for (std::string should_be, is; std::getline(expected, should_be); first = false) {
    std::getline(found, is);
    if (first && !is.starts_with("kind = ")) return;  // somebody else's file
    require(is == should_be, "{}: made with frontend.{}, and the network was trained with {}; make the features anew",
            features.string(), is, should_be);
  }
}

bool features_are_current(const std::filesystem::path& audio, const std::filesystem::path& out,
                          const FrontendOptions& options, const FilePart& part) {
  if (out.extension() != ".npy" || !std::filesystem::exists(out) || !std::filesystem::exists(parameters_of(out)) ||
      !std::filesystem::exists(audio))
    return false;
  return read_file(parameters_of(out)) == description(audio, options, part);
}

}  // namespace melgrad
