#include "bench/frontend/frontend_server.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "audio/decode.h"
#include "audio/frontend.h"
#include "audio/resample.h"
#include "bench/stopwatch.h"
#include "kernels/error.h"
#include "kernels/simd.h"
#include "kernels/thread_pool.h"

namespace melgrad::bench {
namespace {

struct Request {
  std::string kind, simd, input, output;
  int repeats = 1, threads = 1;
  std::string options;  // KEY=VALUE separated by spaces
};

Request read_request(const std::string& line) {
  Request request;
  std::istringstream words(line);
  words >> request.kind >> request.repeats >> request.threads >> request.simd >> request.input >> request.output;
  require(!words.fail() && (request.kind == "compute" || request.kind == "file"), "frontend server: request '{}'",
          line);
  std::getline(words, request.options);
  return request;
}

FrontendOptions read_options(const std::string& text) {
  FrontendOptions options;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    require(equals != std::string::npos, "frontend server: '{}' is not key=value", word);
    const std::string key = word.substr(0, equals), value = word.substr(equals + 1);
    if (key == "preset") {
      options = frontend_preset(value);
    } else {
      require(set_option(options, "frontend", key, value), "frontend server: unknown key '{}'", key);
    }
  }
  return options;
}

const std::vector<float>& read_samples(const std::string& path) {
  static std::map<std::string, std::vector<float>> files;
  std::vector<float>& samples = files[path];
  if (samples.empty()) {
    std::ifstream file(path, std::ios::binary);
    samples.resize(std::filesystem::file_size(path) / sizeof(float));
    file.read(reinterpret_cast<char*>(samples.data()), static_cast<std::streamsize>(samples.size() * sizeof(float)));
    require(file.good(), "frontend server: cannot read {}", path);
  }
  return samples;
}

// Plans are made once, as a program does that has many files.
const Frontend& frontend_for(const Request& request) {
  static std::map<std::string, Frontend> frontends;
  static std::string simd;
  static int threads = 0;
  if (request.simd != simd) use_simd(request.simd == "best" ? "" : request.simd);
  if (request.threads != threads) set_threads(request.threads);
  simd = request.simd;
  threads = request.threads;
  const std::string key = simd + request.options;
  const auto found = frontends.find(key);
  if (found != frontends.end()) return found->second;
  return frontends.emplace(key, read_options(request.options)).first->second;
}

void write_features(const Features& features, const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(features.values.data()),
             static_cast<std::streamsize>(features.values.size() * sizeof(float)));
  require(file.good(), "frontend server: cannot write {}", path);
}

void print_times(std::ostream& answers, const std::vector<double>& milliseconds) {
  for (const double time : milliseconds) answers << fmt::format(" {:.5f}", time);
  answers << '\n';
}

void compute(const Request& request, std::ostream& answers) {
  const Frontend& frontend = frontend_for(request);
  const std::vector<float>& samples = read_samples(request.input);
  std::vector<double> times;
  Features features;
  for (int i = 0; i < request.repeats; ++i) {
    features = {};
    const Stopwatch stopwatch;
    features = frontend.compute(samples);
    times.push_back(1e3 * stopwatch.seconds());
  }
  if (request.output != "-") write_features(features, request.output);
  answers << features.frames << ' ' << features.bins;
  print_times(answers, times);
}

void compute_file(const Request& request, std::ostream& answers) {
  const Frontend& frontend = frontend_for(request);
  std::vector<double> decoding, resampling, features_times;
  Features features;
  for (int i = 0; i < request.repeats; ++i) {
    const Stopwatch start;
    const Audio audio = decode(request.input);
    decoding.push_back(1e3 * start.seconds());
    const Stopwatch decoded;
    const std::vector<float> samples = resample(audio.samples, audio.sample_rate, frontend.options().sample_rate);
    resampling.push_back(1e3 * decoded.seconds());
    const Stopwatch resampled;
    features = frontend.compute(samples);
    features_times.push_back(1e3 * resampled.seconds());
  }
  if (request.output != "-") write_features(features, request.output);
  answers << features.frames << ' ' << features.bins << '\n';
  for (const auto* times : {&decoding, &resampling, &features_times}) print_times(answers, *times);
}

}  // namespace

int serve_frontend(std::istream& requests, std::ostream& answers) {
  for (std::string line; std::getline(requests, line);) {
    try {
      const Request request = read_request(line);
      request.kind == "compute" ? compute(request, answers) : compute_file(request, answers);
    } catch (const std::exception& error) {
      answers << "error: " << error.what() << '\n';
    }
    answers.flush();
  }
  return 0;
}

}  // namespace melgrad::bench
