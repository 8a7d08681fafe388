#include <fmt/format.h>

#include "audio/synth/compose.h"
#include "audio/synth/render_set.h"
#include "tensor/io/atomic_file.h"

namespace melgrad {
namespace {

// FMA's numbers have gaps, as tracks were taken down.
int64_t track_number(int64_t clip) {
  return 2 + 7 * clip;
}

// Of a genre's clips in turn: one of ten validates and one of ten tests, early ones so that small sets have them.
const char* split_of(int64_t number_in_genre) {
  const int64_t place = number_in_genre % 10;
  return place == 1 ? "validation" : place == 2 ? "test" : "training";
}

}  // namespace

void synth_fma(const SynthOptions& options, ThreadPool& pool, const SynthProgress& progress) {
  const auto genres = fma_genres();
  const auto count = static_cast<int64_t>(genres.size());
  const auto genre_of = [&](int64_t clip) -> const Genre& { return genres[static_cast<std::size_t>(clip % count)]; };
  const auto piece_of = [&](int64_t clip) {
    const int64_t track = track_number(clip);
    return Piece{fmt::format("fma_small/{:03}/{:06}.mp3", track / 1000, track),
                 compose(genre_of(clip), {.seconds = options.seconds, .seed = options.seed, .clip = clip})};
  };
  render_set(options, 22050, piece_of, pool, progress);

  std::string table = ",album,set,set,track,track\n,title,split,subset,genre_top,title\ntrack_id,,,,,\n";
  for (int64_t clip = 0; clip < options.clips; ++clip) {
    // Titles as people write them: quotes and line breaks.
    table += fmt::format("{},\"Synthetic \"\"{}\"\"\nvolume {}\",{},small,{},Clip {}\n", track_number(clip),
                         genre_of(clip).name, clip / count, split_of(clip / count), genre_of(clip).name, clip);
  }
  std::filesystem::create_directories(options.out / "fma_metadata");
  write_file_atomically(options.out / "fma_metadata" / "tracks.csv", table);
}

}  // namespace melgrad
