#include <fmt/format.h>

#include "audio/readers/readers.h"
#include "audio/synth/compose.h"
#include "audio/synth/render_set.h"
#include "audio/synth/tags.h"
#include "kernels/philox.h"
#include "tensor/io/atomic_file.h"

namespace melgrad {
namespace {

// Pieces of a style fall into all folders in turn, and small sets have every split.
std::string file_of(int64_t clip, int64_t styles, std::string_view style) {
  static constexpr std::string_view folders = "0cd12ef3456789ab";
  return fmt::format("{}/synthetic-{}-{:05}-0-29.mp3", folders[static_cast<std::size_t>((clip + clip / styles) % 16)],
                     style, clip);
}

// Louder and softer than the other sets: the tags "loud" and "quiet" are about it.
void set_level(Score& score, uint64_t seed, int64_t clip) {
  score.mastering.peak_db = Generator(seed, Draw::synth, static_cast<uint32_t>(clip), 3).uniform(-20, -1);
}

}  // namespace

void synth_mtat(const SynthOptions& options, ThreadPool& pool, const SynthProgress& progress) {
  const auto styles = mtat_styles();
  const auto count = static_cast<int64_t>(styles.size());
  const auto style_of = [&](int64_t clip) -> const Style& { return styles[static_cast<std::size_t>(clip % count)]; };
  const auto piece_of = [&](int64_t clip) {
    const Genre& genre = style_of(clip).genre;
    Piece piece{file_of(clip, count, genre.name),
                compose(genre, {.seconds = options.seconds, .seed = options.seed, .clip = clip, .sections = 2})};
    set_level(piece.score, options.seed, clip);
    return piece;
  };
  render_set(options, 16000, piece_of, pool, progress);

  std::string table = "\"clip_id\"";
  for (const std::string& tag : mtat_tags()) table += fmt::format("\t\"{}\"", tag);
  table += "\t\"mp3_path\"\n";
  for (int64_t clip = 0; clip < options.clips; ++clip) {
    const Piece piece = piece_of(clip);
    const auto tags = tags_of(piece.score, style_of(clip));
    table += fmt::format("\"{}\"", clip + 2);
    for (const std::string& tag : mtat_tags()) table += tags.contains(tag) ? "\t\"1\"" : "\t\"0\"";
    table += fmt::format("\t\"{}\"\n", piece.file);
  }
  write_file_atomically(options.out / "annotations_final.csv", table);
}

}  // namespace melgrad
