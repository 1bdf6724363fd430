#pragma once

#include <cstddef>
#include <utility>

#include "core/streaming.hpp"
#include "kernels/gemm/micro.hpp"

// Included by one file per instruction set. The anonymous namespace keeps each file's copy
// separate: with external linkage the linker would keep one for all, perhaps the AVX-512 one, and
// older processors would crash. A vector type has V, kLanes, Mask and functions on them:
// vectors_*.hpp.

namespace minicnn {
namespace {

// b is prefetched this many products ahead: the hardware prefetcher does not follow b between the
// loads of a. Weight gradients, whose b comes from memory, take 10 to 20 % less time with 16 to 256
// channels, and half the time with 3 (2 cores, AMD EPYC 9005, 2026-11).
constexpr std::int64_t kAhead = 32;

// A tile of kRows rows. Its columns are one full vector (if kWide) and a masked last vector. `Last`
// may be narrower: a half-width multiplication costs half on processors that split the full width.
// The rows of a are `a_row` floats apart, or (kScattered) at the offsets `a_rows`.
template <class Wide, class Last, bool kWide, bool kScattered, std::size_t kRows>
void multiply_fixed_rows(const MicroTile& tile, int last_columns) {
  const MicroTile t = tile;  // a copy, which stores to `out` cannot change
  constexpr int kFirst = kWide ? Wide::kLanes : 0;
  const typename Last::Mask mask = Last::mask(last_columns);
  [[maybe_unused]] typename Wide::V wide[kRows];
  typename Last::V last[kRows];

  [[maybe_unused]] typename Wide::V wide_start = Wide::broadcast(0);
  typename Last::V last_start = Last::broadcast(0);
  if (t.bias != nullptr) {
    if constexpr (kWide) wide_start = Wide::load(t.bias);
    last_start = Last::load(t.bias + kFirst, mask);
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kRows; ++i) {
    if constexpr (kWide) wide[i] = wide_start;
    last[i] = last_start;
  }

  const float* rows[kRows];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kRows; ++i) {
    rows[i] = t.a + (kScattered ? t.a_rows[i] : std::int64_t(i) * t.a_row);
  }

  for (const Segment *segment = t.segments, *end = segment + t.segment_count; segment != end;
       ++segment) {
    std::int64_t a = segment->a;
    const float* b = t.b + segment->b;
    for (std::int64_t k = segment->length; k > 0; --k, a += t.a_step, b += t.b_row) {
      __builtin_prefetch(b + kAhead * t.b_row);
      if constexpr (kFirst >= kCacheLine) __builtin_prefetch(b + kAhead * t.b_row + kFirst);
      const typename Last::V last_b = Last::load(b + kFirst, mask);
      if constexpr (kWide) {
        const typename Wide::V wide_b = Wide::load(b);
#pragma GCC unroll 16
        for (std::size_t i = 0; i < kRows; ++i) {
          const typename Wide::V factor = Wide::broadcast(rows[i][a]);
          wide[i] = Wide::multiply_add(factor, wide_b, wide[i]);
          last[i] = Last::multiply_add(Last::narrow(factor), last_b, last[i]);
        }
      } else {
#pragma GCC unroll 16
        for (std::size_t i = 0; i < kRows; ++i) {
          const typename Last::V factor = Last::broadcast(rows[i][a]);
          last[i] = Last::multiply_add(factor, last_b, last[i]);
        }
      }
    }
  }

  if (t.add) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kRows; ++i) {
      const float* out = t.out + std::int64_t(i) * t.out_row;
      if constexpr (kWide) wide[i] = Wide::load(out) + wide[i];
      last[i] = Last::load(out + kFirst, mask) + last[i];
    }
  }
  if (t.relu) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kRows; ++i) {
      if constexpr (kWide) wide[i] = Wide::relu(wide[i]);
      last[i] = Last::relu(last[i]);
    }
  }
  if (t.stream) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kRows; ++i) {
      float* out = t.out + std::int64_t(i) * t.out_row;
      if constexpr (kWide) Wide::stream(out, wide[i]);
      Last::stream(out + kFirst, last[i]);
    }
    return;
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kRows; ++i) {
    float* out = t.out + std::int64_t(i) * t.out_row;
    if constexpr (kWide) Wide::store(out, wide[i]);
    Last::store(out + kFirst, last[i], mask);
  }
}

using TileFunction = void (*)(const MicroTile& tile, int last_columns);

template <class Wide, class Last, bool kWide, std::size_t... kRows>
void multiply_rows(std::index_sequence<kRows...>, const MicroTile& t, int rows, int last_columns) {
  static constexpr TileFunction kByRows[] = {
      multiply_fixed_rows<Wide, Last, kWide, false, kRows + 1>...};
  static constexpr TileFunction kScattered[] = {
      multiply_fixed_rows<Wide, Last, kWide, true, kRows + 1>...};
  (t.a_rows == nullptr ? kByRows : kScattered)[rows - 1](t, last_columns);
}

// A tile of one row and many columns, as in a dense layer that is given one sample. There are
// enough independent vectors that no addition waits for the one before.
template <class Wide, std::size_t kVectors>
void multiply_row_vectors(const MicroTile& tile, int last_columns) {
  constexpr std::size_t kLast = kVectors - 1;
  const MicroTile t = tile;
  const typename Wide::Mask mask = Wide::mask(last_columns);
  const auto load = [mask](const float* p, std::size_t i) {
    return i == kLast ? Wide::load(p + i * Wide::kLanes, mask) : Wide::load(p + i * Wide::kLanes);
  };
  typename Wide::V sums[kVectors];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kVectors; ++i) {
    sums[i] = t.bias == nullptr ? Wide::broadcast(0) : load(t.bias, i);
  }
  for (const Segment *segment = t.segments, *end = segment + t.segment_count; segment != end;
       ++segment) {
    const float *a = t.a + segment->a, *b = t.b + segment->b;
    for (std::int64_t k = segment->length; k > 0; --k, a += t.a_step, b += t.b_row) {
      const typename Wide::V factor = Wide::broadcast(*a);
#pragma GCC unroll 16
      for (std::size_t i = 0; i < kVectors; ++i) {
        if (i * Wide::kLanes % kCacheLine == 0) {
          __builtin_prefetch(b + kAhead * t.b_row + i * Wide::kLanes);
        }
        sums[i] = Wide::multiply_add(factor, load(b, i), sums[i]);
      }
    }
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kVectors; ++i) {
    if (t.add) sums[i] = load(t.out, i) + sums[i];
    if (t.relu) sums[i] = Wide::relu(sums[i]);
    float* out = t.out + i * Wide::kLanes;
    if (t.stream) {
      Wide::stream(out, sums[i]);
    } else if (i == kLast) {
      Wide::store(out, sums[i], mask);
    } else {
      Wide::store(out, sums[i]);
    }
  }
}

template <class Wide, std::size_t... kBefore>
void multiply_long_row(std::index_sequence<kBefore...>, const MicroTile& t, int columns) {
  static constexpr TileFunction kByVectors[] = {multiply_row_vectors<Wide, kBefore + 1>...};
  const int before = (columns - 1) / Wide::kLanes;
  kByVectors[before](t, columns - before * Wide::kLanes);
}

// Picks the cheapest vectors that cover the columns: up to kRowColumns if there is a single row.
template <class Wide, class Half, std::size_t kMaxRows, std::size_t kRowColumns>
void multiply_tile(const MicroTile& t, int rows, int columns) {
  constexpr std::make_index_sequence<kMaxRows> kRows{};
  const int rest = columns - Wide::kLanes;
  if (rest > Wide::kLanes) {
    return multiply_long_row<Wide>(std::make_index_sequence<kRowColumns / Wide::kLanes>{}, t,
                                   columns);
  }
  if (rest > Half::kLanes) return multiply_rows<Wide, Wide, true>(kRows, t, rows, rest);
  if (rest > 0) return multiply_rows<Wide, Half, true>(kRows, t, rows, rest);
  if (columns > Half::kLanes) return multiply_rows<Wide, Wide, false>(kRows, t, rows, columns);
  return multiply_rows<Wide, Half, false>(kRows, t, rows, columns);
}

// Rows 0, 4, 8, ... form one partial sum, rows 1, 5, 9, ... another: so an addition need not wait
// for the one before.
template <class Wide>
void sum_rows(const RowSums& sums, float* out) {
  for (int column = 0; column < sums.columns; column += Wide::kLanes) {
    const int rest = sums.columns - column;
    const typename Wide::Mask mask = Wide::mask(rest < Wide::kLanes ? rest : Wide::kLanes);
    typename Wide::V part[4];
    for (typename Wide::V& p : part) p = Wide::broadcast(0);
    const float* x = sums.x + column;
    const std::int64_t fours = sums.rows / 4 * 4;
    for (std::int64_t row = 0; row < fours; row += 4) {
#pragma GCC unroll 4
      for (std::size_t i = 0; i < 4; ++i, x += sums.row_stride) part[i] += Wide::load(x, mask);
    }
    for (std::int64_t row = fours; row < sums.rows; ++row, x += sums.row_stride) {
      part[0] += Wide::load(x, mask);
    }
    typename Wide::V total = (part[0] + part[1]) + (part[2] + part[3]);
    if (sums.add) total += Wide::load(out + column, mask);
    Wide::store(out + column, total, mask);
  }
}

}  // namespace
}  // namespace minicnn
