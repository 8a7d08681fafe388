#include "audio/synth/compose.h"
#include "audio/synth/render_set.h"
#include "kernels/error.h"

namespace melgrad {

void synth_folders(const SynthOptions& options, ThreadPool& pool, const SynthProgress& progress) {
  const auto all = genres();
  const auto count = static_cast<int64_t>(all.size());
  const auto piece_of = [&](int64_t clip) {
    const Genre& genre = all[static_cast<std::size_t>(clip % count)];
    return Piece{fmt::format("{}/{}.{:05}.wav", genre.name, genre.name, clip / count),
                 compose(genre, {.seconds = options.seconds, .seed = options.seed, .clip = clip})};
  };
  render_set(options, 22050, piece_of, pool, progress);
}

}  // namespace melgrad
