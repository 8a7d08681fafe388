// melgrad synth LAYOUT: a labelled music set, rendered from a real soundfont.
#include "audio/synth/folders.h"

#include <fmt/format.h>

#include <memory>

#include "apps/command.h"
#include "apps/progress.h"
#include "kernels/thread_pool.h"

namespace melgrad {

void add_synth_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("synth", "render a labelled music set from a soundfont");
  command->require_subcommand(1);
  CLI::App* folders = command->add_subcommand("folders", "DIR/<genre>/<genre>.00000.wav, as GTZAN is laid out");
  struct Options : CommonOptions {
    std::string out;
    SynthFoldersOptions synth;
  };
  auto options = std::make_shared<Options>();
  folders->add_option("--out", options->out, "the folder to fill")->required();
  folders->add_option("--clips", options->synth.clips, "in all, dealt to the genres in turn")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  folders->add_option("--seed", options->synth.seed, "one seed, one set")->capture_default_str();
  folders->add_option("--threads", options->threads, "CPU threads; 0: one a processor")->check(CLI::NonNegativeNumber);
  add_json_option(*folders, *options);
  folders->callback([options] {
    set_threads(options->threads);
    options->synth.out = options->out;
    {
      ProgressBar bar("rendering", options->synth.clips, "clips");
      synth_folders(options->synth, thread_pool(), [&](int64_t done, int64_t) { bar.update(done); });
    }
    if (options->json) return print_json({{"out", options->out}, {"clips", options->synth.clips}});
    fmt::print("{} clips of {} s in {}\n", options->synth.clips, options->synth.seconds, options->out);
  });
}

}  // namespace melgrad
