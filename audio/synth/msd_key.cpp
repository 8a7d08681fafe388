#include <fmt/format.h>

#include "audio/synth/compose.h"
#include "audio/synth/render_set.h"
#include "kernels/philox.h"
#include "tensor/io/atomic_file.h"

namespace melgrad {
namespace {

constexpr int64_t keys = 24;

// Every eighth round over the keys.
bool changes_key(int64_t clip) {
  return clip / keys % 8 == 7;
}

// The second half of the clip in another key: up a major second.
void change_key(Score& score) {
  for (Note& note : score.notes)
    if (note.start > score.seconds / 2 && note.channel != kDrumChannel) note.key += 2;
}

}  // namespace

void synth_msd_key(const SynthOptions& options, ThreadPool& pool, const SynthProgress& progress) {
  const auto genres = key_genres();
  const auto track_of = [](int64_t clip) { return fmt::format("TRSYNTH{:06}", clip); };
  const auto piece_of = [&](int64_t clip) {
    const auto key = static_cast<int>(clip % keys);
    const Genre& genre = genres[static_cast<std::size_t>(clip / keys) % genres.size()];
    Piece piece{fmt::format("{}-{}/{}.mp3", key / 2, key % 2, track_of(clip)),
                compose(genre, {.seconds = options.seconds,
                                .seed = options.seed,
                                .clip = clip,
                                .tonic = key / 2,
                                .mode = key % 2 == 0 ? Mode::minor : Mode::major})};
    if (changes_key(clip)) change_key(piece.score);
    return piece;
  };
  render_set(options, 22050, piece_of, pool, progress);

  std::string table = "track_id,key,key_confidence,mode,mode_confidence\n";
  for (int64_t clip = 0; clip < options.clips; ++clip) {
    Generator random(options.seed, Draw::synth, static_cast<uint32_t>(clip), 2);
    const double least = changes_key(clip) ? 0.3 : 0.76, most = changes_key(clip) ? 0.7 : 1;
    const double key_confidence = random.uniform(least, most);
    const double mode_confidence = random.uniform(least, most);
    table += fmt::format("{},{},{:.3f},{},{:.3f}\n", track_of(clip), clip % keys / 2, key_confidence, clip % 2,
                         mode_confidence);
  }
  write_file_atomically(options.out / "keys.csv", table);
}

}  // namespace melgrad
