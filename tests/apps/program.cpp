#include "tests/apps/program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <numbers>
#include <sstream>

#include "kernels/error.h"
#include "kernels/philox.h"

namespace melgrad::test {
namespace {

int status_of(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

pid_t spawn(const std::filesystem::path& program, const Arguments& arguments, const Environment& environment,
            const std::string& out, const std::string& err) {
  const pid_t child = ::fork();
  require(child >= 0, "fork: {}", std::strerror(errno));
  if (child > 0) return child;
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
  ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  std::_Exit(127);
}

}  // namespace

std::string file_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

Outcome run_program(const Arguments& arguments, const Environment& environment, const std::filesystem::path& program) {
  const TemporaryFolder folder;
  const auto out = folder / "out", err = folder / "err";
  const int status = wait_for(spawn(program, arguments, environment, out, err));
  return {status, file_bytes(out), file_bytes(err)};
}

pid_t start_program(const Arguments& arguments) {
  return spawn(MELGRAD_PROGRAM, arguments, {}, "/dev/null", "/dev/null");
}

int wait_for(pid_t process) {
  int status = 0;
  ::waitpid(process, &status, 0);
  return status_of(status);
}

void write_wav(const std::filesystem::path& path, const std::vector<float>& samples, int sample_rate) {
  const auto bytes = static_cast<uint32_t>(samples.size() * 2), rate = static_cast<uint32_t>(sample_rate);
  std::string file;
  const auto number = [&](uint32_t value, int size) {
    for (int i = 0; i < size; ++i) file += static_cast<char>(value >> (8 * i));
  };
  file += "RIFF";
  number(36 + bytes, 4);
  file += "WAVEfmt ";
  number(16, 4);
  number(1, 2);  // PCM
  number(1, 2);  // channels
  number(rate, 4);
  number(rate * 2, 4);
  number(2, 2);
  number(16, 2);
  file += "data";
  number(bytes, 4);
  for (float sample : samples) number(static_cast<uint32_t>(std::lround(sample * 32767)), 2);
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << file;
}

void make_tone_set(const std::filesystem::path& folder, int clips_per_class) {
  const char* names[] = {"high", "low", "middle"};
  const double hertz[] = {2000, 250, 700};
  for (uint32_t label = 0; label < 3; ++label) {
    for (int clip = 0; clip < clips_per_class; ++clip) {
      Generator random(3, Draw::test, label, static_cast<uint32_t>(clip));
      const double frequency = hertz[label] * random.uniform(0.8, 1.25);
      std::vector<float> samples(4000);
      for (std::size_t i = 0; i < samples.size(); ++i) {
        const double phase = 2 * std::numbers::pi * frequency * static_cast<double>(i) / 8000;
        samples[i] = static_cast<float>(0.3 * std::sin(phase) + random.uniform(-0.2, 0.2));
      }
      write_wav(folder / names[label] / fmt::format("{}.{:03}.wav", names[label], clip), samples, 8000);
    }
  }
}

Arguments train_arguments(const std::filesystem::path& data, const std::filesystem::path& out, int epochs,
                          const Arguments& more) {
  Arguments arguments{"train", "--recipe", "gtzan-mfcc", "--data", data.string(), "--out", out.string()};
  for (const std::string& setting :
       {std::string("data.duration=0.5"), std::string("data.segments=1"), std::string("data.split=random-tracks"),
        std::string("frontend.sample_rate=8000"), std::string("frontend.n_fft=256"), std::string("frontend.hop=64"),
        std::string("train.learning_rate=1e-3"), std::string("train.batch=8"),
        "train.epochs=" + std::to_string(epochs)}) {
    arguments.insert(arguments.end(), {"--set", setting});
  }
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace melgrad::test
