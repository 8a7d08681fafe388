// melgrad synth LAYOUT: a labelled music set, rendered from a real soundfont.
#include <fmt/format.h>

#include <memory>

#include "apps/command.h"
#include "apps/progress.h"
#include "audio/synth/layouts.h"
#include "kernels/thread_pool.h"

namespace melgrad {
namespace {

struct Layout {
  const char* name;
  const char* description;
  void (*render)(const SynthOptions&, ThreadPool&, const SynthProgress&);
};

constexpr Layout layouts[] = {
    {"folders", "DIR/<genre>/<genre>.00000.wav, as GTZAN is laid out: ten genres", synth_folders},
    {"fma", "fma_metadata/tracks.csv and fma_small/000/000002.mp3: eight genres", synth_fma},
    {"mtat", "annotations_final.csv and folders 0 … f of MP3: MagnaTagATune's tags", synth_mtat},
    {"msd-key", "keys.csv and folders <key>-<mode> of MP3: the 24 keys", synth_msd_key},
};

struct Options : CommonOptions {
  std::string out;
  SynthOptions synth;
};

void run(const Layout& layout, const Options& options) {
  set_threads(options.threads);
  SynthOptions synth = options.synth;
  synth.out = options.out;
  {
    ProgressBar bar("rendering", synth.clips, "clips");
    layout.render(synth, thread_pool(), [&](int64_t done, int64_t) { bar.update(done); });
  }
  if (options.json) return print_json({{"out", options.out}, {"clips", synth.clips}});
  fmt::print("{} clips of {} s in {}\n", synth.clips, synth.seconds, options.out);
}

}  // namespace

void add_synth_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("synth", "render a labelled music set from a soundfont");
  command->require_subcommand(1);
  for (const Layout& layout : layouts) {
    CLI::App* one = command->add_subcommand(layout.name, layout.description);
    auto options = std::make_shared<Options>();
    one->add_option("--out", options->out, "the folder to fill")->required();
    one->add_option("--clips", options->synth.clips, "in all, dealt to the classes in turn")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    one->add_option("--seed", options->synth.seed, "one seed, one set")->capture_default_str();
    one->add_option("--seconds", options->synth.seconds, "of each clip")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    one->add_option("--threads", options->threads, "CPU threads; 0: one a processor")->check(CLI::Range(0, 1024));
    add_json_option(*one, *options);
    one->callback([&layout, options] { run(layout, *options); });
  }
}

}  // namespace melgrad
