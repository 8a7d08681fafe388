// The register tile that direct convolutions (kernels/cpu/direct_conv.h) are made of, for the instruction set at hand.
// Included once for each; see Highway's foreach_target.
//
// A tile holds rows × vectors sums. Each step loads `vectors` vectors of b and broadcasts `rows` numbers of a: 24 of 32
// registers are sums on AVX-512, 12 of 16 on AVX2, and a step of 24 multiply-adds has 11 to 25 loads where 24 would bind.
#include <hwy/highway.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "kernels/cpu/vectors-inl.h"

#if defined(MELGRAD_KERNELS_CPU_DIRECT_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_DIRECT_TILE_INL_H_
#undef MELGRAD_KERNELS_CPU_DIRECT_TILE_INL_H_
#else
#define MELGRAD_KERNELS_CPU_DIRECT_TILE_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {
namespace {

#if HWY_TARGET <= HWY_AVX3
constexpr int tile_sums = 24;
#else
constexpr int tile_sums = 12;
#endif
constexpr int most_vectors = 3;
constexpr float no_floor = -std::numeric_limits<float>::infinity();

// out[r][v] = max(start[v] + Σ over segments s and steps k of a[s, k][r] · b[s, k][v], floor); a NaN stays. All strides are in
// floats. `columns` floats of a row of out are written. Without a start the sum begins at 0 and is added to out, whose rows
// are whole vectors then.
struct Tile {
  const float* a;
  int64_t a_row, a_step, a_segment;
  const float* b;
  int64_t b_step, b_segment;
  int64_t segments, steps;
  const float* start;
  float floor;
  float* out;
  int64_t out_row, columns;
};

// neighbours: a_row is 1, which the compiler may know.
template <int rows, int vectors, bool neighbours>
void run_tile(const Tile& t) {
  const FloatTag d;
  Vector sum[rows][vectors];
  unroll<vectors>([&](auto v) HWY_ATTR {
    const Vector first = t.start == nullptr ? hn::Zero(d) : hn::LoadU(d, t.start + v * vector_lanes);
    unroll<rows>([&](auto r) HWY_ATTR { sum[r][v] = first; });
  });
  const int64_t a_row = neighbours ? 1 : t.a_row, a_step = t.a_step, b_step = t.b_step;
  for (int64_t segment = 0; segment < t.segments; ++segment) {
    const float *a = t.a + segment * t.a_segment, *b = t.b + segment * t.b_segment;
    for (int64_t step = t.steps; step > 0; --step, a += a_step, b += b_step) {
      Vector right[vectors];
      unroll<vectors>([&](auto v) HWY_ATTR { right[v] = hn::LoadU(d, b + v * vector_lanes); });
      unroll<rows>([&](auto r) HWY_ATTR {
        const Vector left = hn::Set(d, a[r * a_row]);
        unroll<vectors>([&](auto v) HWY_ATTR { sum[r][v] = hn::MulAdd(left, right[v], sum[r][v]); });
      });
    }
  }
  if (t.start == nullptr) {
    unroll<rows>([&](auto r) HWY_ATTR {
      unroll<vectors>([&](auto v) HWY_ATTR {
        sum[r][v] = hn::Add(hn::LoadU(d, t.out + r * t.out_row + v * vector_lanes), sum[r][v]);
      });
    });
  }
  if (t.floor != no_floor) {
    const Vector floor = hn::Set(d, t.floor);
    unroll<rows>([&](auto r) HWY_ATTR {
      unroll<vectors>([&](auto v) HWY_ATTR { sum[r][v] = hn::IfThenElse(hn::Lt(sum[r][v], floor), floor, sum[r][v]); });
    });
  }
  const auto last = hn::FirstN(d, static_cast<std::size_t>(t.columns - (vectors - 1) * vector_lanes));
  unroll<rows>([&](auto r) HWY_ATTR {
    unroll<vectors>([&](auto v) HWY_ATTR {
      float* to = t.out + r * t.out_row + v * vector_lanes;
      if (v + 1 < vectors)
        hn::StoreU(sum[r][v], d, to);
      else
        hn::BlendedStore(sum[r][v], last, d, to);
    });
  });
}

using TileFunction = void (*)(const Tile&);

template <int vectors, bool neighbours, int... rows>
TileFunction tile_of_rows(int64_t count, std::integer_sequence<int, rows...>) {
  static constexpr TileFunction functions[] = {&run_tile<rows + 1, vectors, neighbours>...};
  return functions[count - 1];
}

constexpr int most_rows(int64_t vectors) {
  return tile_sums / static_cast<int>(vectors);
}

template <bool neighbours>
TileFunction tile_function(int64_t rows, int64_t vectors) {
  if (vectors == 1) return tile_of_rows<1, neighbours>(rows, std::make_integer_sequence<int, most_rows(1)>());
  if (vectors == 2) return tile_of_rows<2, neighbours>(rows, std::make_integer_sequence<int, most_rows(2)>());
  return tile_of_rows<3, neighbours>(rows, std::make_integer_sequence<int, most_rows(3)>());
}

// Cuts `total` into parts of like size, at most `most`: body(first, count). Divisions are slow beside a small tile: one a call.
template <class Body>
HWY_INLINE void for_each_part(int64_t total, int64_t most, const Body& body) {
  if (total <= most) return total > 0 ? body(int64_t{0}, total) : void();
  const int64_t parts = (total + most - 1) / most, size = total / parts, larger = total % parts;
  for (int64_t part = 0, first = 0; part < parts; ++part) {
    const int64_t count = part < larger ? size + 1 : size;
    body(first, count);
    first += count;
  }
}

// All of out, `rows` by `t.columns`, in tiles. t.a, t.b, t.start and t.out point to the first.
template <bool neighbours>
void run_tiles(const Tile& t, int64_t rows) {
  const int64_t vectors = (t.columns + vector_lanes - 1) / vector_lanes;
  for_each_part(vectors, most_vectors, [&](int64_t vector, int64_t wide) {
    Tile part = t;
    const int64_t column = vector * vector_lanes;
    part.b += column;
    part.columns = std::min(t.columns - column, wide * vector_lanes);
    for_each_part(rows, most_rows(wide), [&](int64_t row, int64_t high) {
      part.a = t.a + row * t.a_row;
      part.start = t.start == nullptr ? nullptr : t.start + column;
      part.out = t.out + row * t.out_row + column;
      tile_function<neighbours>(high, wide)(part);
    });
  });
}

}  // namespace
}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
