// melgrad: from an audio file to tags, a genre or a key, and the training of the networks that do so.
#include <fmt/format.h>

#include <cstdlib>

#include "apps/command.h"
#include "apps/config.h"
#include "tensor/io/atomic_file.h"

namespace {

enum ExitStatus { success = 0, failure = 1, bad_usage = 2 };

int complain(const std::string& message, ExitStatus status) {
  std::string line = message;
  for (char& c : line)
    if (c == '\n') c = ' ';
  fmt::print(stderr, "melgrad: {}\n", line);
  return status;
}

// The parser only says that a command is missing where one is misspelt.
std::string explain(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  std::string known;
  bool found = false;
  for (const CLI::App* command : app.get_subcommands({})) {
    known += (known.empty() ? "" : ", ") + command->get_name();
    found = found || (argc > 1 && command->get_name() == argv[1]);
  }
  if (argc > 1 && argv[1][0] != '-' && !found) return fmt::format("unknown command '{}'; there is {}", argv[1], known);
  return fmt::format("{}; see melgrad --help", error.what());
}

// For tests of crash safety: MELGRAD_DIE_AT_FILE_OPERATION=n kills the process before the n-th write, fsync or rename.
void arm_fault_injection() {
  const char* text = std::getenv("MELGRAD_DIE_AT_FILE_OPERATION");
  if (text == nullptr) return;
  melgrad::set_file_fault_hook([remaining = std::atol(text)](std::string_view, const std::filesystem::path&) mutable {
    if (--remaining == 0) std::_Exit(137);
  });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"melgrad trains, evaluates and uses convolutional networks on audio.", "melgrad"};
  app.set_version_flag("--version", MELGRAD_VERSION);
  app.require_subcommand(1);
  melgrad::add_info_command(app);
  melgrad::add_list_commands(app);
  melgrad::add_summary_command(app);
  melgrad::add_synth_command(app);
  melgrad::add_data_command(app);
  melgrad::add_features_command(app);
  melgrad::add_train_command(app);
  melgrad::add_evaluate_command(app);
  melgrad::add_predict_command(app);
  melgrad::add_convert_command(app);
  melgrad::add_export_command(app);
  melgrad::add_report_command(app);
  melgrad::add_profile_command(app);
  melgrad::add_samples_command(app);
  arm_fault_injection();
  try {
    app.parse(argc, argv);
    return success;
  } catch (const CLI::Success& request) {  // --help, --version
    return app.exit(request);
  } catch (const CLI::ParseError& error) {
    return complain(explain(app, error, argc, argv), bad_usage);
  } catch (const melgrad::UsageError& error) {
    return complain(error.what(), bad_usage);
  } catch (const std::exception& error) {
    return complain(error.what(), failure);
  }
}
