// What pages quote is what there is. A page names what it quotes before each block: a file,
//
//   <!-- from tensor/autograd.h -->
//
// or what a lesson of docs/kernels prints (the block begins with ```text),
//
//   <!-- printed by lesson transpose -->
//
// and the block's lines stand there one after another, but for their common indentation; a line "…" leaves some out. Blocks
// of C++ must all be quotes, so that each is compiled somewhere.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace melgrad::test {

using Lines = std::vector<std::string>;

Lines lines_of(const std::string& text);

// The first line of the quote that is not in the source, or "".
std::string first_difference(const Lines& quote, const Lines& source);

// Checks the blocks of a page; returns how many it quotes.
int check_page(const std::filesystem::path& page, const std::function<Lines(const std::string& lesson)>& printed = {});

}  // namespace melgrad::test
