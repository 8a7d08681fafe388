#include "kernels/simt/array_names.h"

#include <fmt/format.h>

#include <map>
#include <mutex>

#include "kernels/simt/engine.h"

namespace melgrad::simt {
namespace {

struct NamedArray {
  int64_t bytes;
  std::source_location where;
};

// One a place in memory: the last that began there. The arena hands out the same places again and again.
struct Names {
  std::mutex mutex;
  std::map<uintptr_t, NamedArray> by_begin;
};

Names& names() {
  static Names all;
  return all;
}

}  // namespace

void name_array(const void* begin, int64_t bytes, const std::source_location& where) {
  const std::lock_guard lock(names().mutex);
  auto& arrays = names().by_begin;
  const auto first = reinterpret_cast<uintptr_t>(begin);
  // What else begins there is of the past.
  arrays.erase(arrays.lower_bound(first), arrays.lower_bound(first + static_cast<uintptr_t>(bytes)));
  arrays.insert_or_assign(first, NamedArray{bytes, where});
}

std::string global_array_of(const void* address) {
  const auto place = reinterpret_cast<uintptr_t>(address);
  const std::lock_guard lock(names().mutex);
  auto found = names().by_begin.upper_bound(place);
  if (found == names().by_begin.begin()) return "a global array";
  --found;
  if (place >= found->first + static_cast<uintptr_t>(found->second.bytes) && place != found->first)
    return "a global array";
  return fmt::format("a global array made at {}:{}", to_string(found->second.where), found->second.where.column());
}

}  // namespace melgrad::simt
