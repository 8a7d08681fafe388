// Where the arrays that kernels are given were named, so that an error can say of which one it speaks.
#pragma once

#include <cstdint>
#include <source_location>
#include <string>

namespace melgrad::simt {

// From now on the bytes are known by the line that made a Global of them.
void name_array(const void* begin, int64_t bytes, const std::source_location& where);

// "a global array made at activation.cu:28:45", with the column, since a line often makes several.
std::string global_array_of(const void* address);

}  // namespace melgrad::simt
