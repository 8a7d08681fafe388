// MagnaTagATune's tags that a score justifies.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "audio/synth/genres.h"
#include "audio/synth/score.h"

namespace melgrad {

// A kind of music with the tags that it has by itself; instruments, voices, tempo, loudness and mode give further ones.
struct Style {
  Genre genre;
  std::string_view tags;  // separated by commas
};

std::span<const Style> mtat_styles();

// The tags of a piece in `style`, all of them from mtat_tags(). An instrument counts if its notes sound for a tenth of
// the clip; parts whose role is "voice" are voices, high ones female.
std::set<std::string> tags_of(const Score& score, const Style& style);

}  // namespace melgrad
