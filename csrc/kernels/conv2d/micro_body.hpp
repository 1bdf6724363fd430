#pragma once

#include <cstddef>
#include <utility>

#include "core/streaming.hpp"
#include "kernels/conv2d/micro.hpp"

// Included by one file per instruction set. The anonymous namespace keeps each file's copy its own:
// with external linkage the linker would keep one for all, perhaps the AVX-512 one, and older
// processors would die on it. A vector type gives V, kLanes, Mask, and functions on them.

namespace minicnn {
namespace {

// So many products ahead of its use, b is asked for: the processor's own prefetching does not
// follow b between the loads of a. Weight gradients, whose b comes from memory, take 10 to 20 %
// less time with 16 to 256 channels, and half with 3 (2 cores, AMD EPYC 9005, 2026-11).
constexpr std::int64_t kAhead = 32;

// A tile is one full vector of columns (kWide, else none) and a masked last one. `Last` may be
// narrower: a half-width multiplication costs half on processors that split the full width.
// Rows of a lie `a_row` apart, or anywhere (kScattered).
template <class Wide, class Last, bool kWide, bool kScattered, std::size_t kRows>
void run_tile(const Tile& tile, int last_columns) {
  const Tile t = tile;  // a copy: what is stored to `out` cannot change it
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

  for (const Run *run = t.runs, *end = run + t.run_count; run != end; ++run) {
    std::int64_t a = run->a;
    const float* b = t.b + run->b;
    for (std::int64_t k = run->length; k > 0; --k, a += t.a_step, b += t.b_row) {
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

using RunTile = void (*)(const Tile& tile, int last_columns);

template <class Wide, class Last, bool kWide, std::size_t... kRows>
void run_rows(std::index_sequence<kRows...>, const Tile& t, int rows, int last_columns) {
  static constexpr RunTile kByRows[] = {run_tile<Wide, Last, kWide, false, kRows + 1>...};
  static constexpr RunTile kScattered[] = {run_tile<Wide, Last, kWide, true, kRows + 1>...};
  (t.a_rows == nullptr ? kByRows : kScattered)[rows - 1](t, last_columns);
}

// One row and many columns, as of a dense layer that sees one sample: enough vectors side by side
// that none of the additions waits for the last one.
template <class Wide, std::size_t kVectors>
void run_row(const Tile& tile, int last_columns) {
  constexpr std::size_t kLast = kVectors - 1;
  const Tile t = tile;
  const typename Wide::Mask mask = Wide::mask(last_columns);
  const auto load = [mask](const float* p, std::size_t i) {
    return i == kLast ? Wide::load(p + i * Wide::kLanes, mask) : Wide::load(p + i * Wide::kLanes);
  };
  typename Wide::V sums[kVectors];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kVectors; ++i) {
    sums[i] = t.bias == nullptr ? Wide::broadcast(0) : load(t.bias, i);
  }
  for (const Run *run = t.runs, *end = run + t.run_count; run != end; ++run) {
    const float *a = t.a + run->a, *b = t.b + run->b;
    for (std::int64_t k = run->length; k > 0; --k, a += t.a_step, b += t.b_row) {
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
void run_long_row(std::index_sequence<kBefore...>, const Tile& t, int columns) {
  static constexpr RunTile kByVectors[] = {run_row<Wide, kBefore + 1>...};
  const int before = (columns - 1) / Wide::kLanes;
  kByVectors[before](t, columns - before * Wide::kLanes);
}

// Picks the cheapest vectors that cover the columns; of one row, up to kRowColumns.
template <class Wide, class Half, std::size_t kMaxRows, std::size_t kRowColumns>
void run_any(const Tile& t, int rows, int columns) {
  constexpr std::make_index_sequence<kMaxRows> kRows{};
  const int rest = columns - Wide::kLanes;
  if (rest > Wide::kLanes) {
    return run_long_row<Wide>(std::make_index_sequence<kRowColumns / Wide::kLanes>{}, t, columns);
  }
  if (rest > Half::kLanes) return run_rows<Wide, Wide, true>(kRows, t, rows, rest);
  if (rest > 0) return run_rows<Wide, Half, true>(kRows, t, rows, rest);
  if (columns > Half::kLanes) return run_rows<Wide, Wide, false>(kRows, t, rows, columns);
  return run_rows<Wide, Half, false>(kRows, t, rows, columns);
}

// Rows 0, 4, 8, ... make one sum, rows 1, 5, 9, ... another: an addition need not wait for the
// last.
template <class Wide>
void sum_rows_any(const RowSums& sums, float* out) {
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

// One number a channel, in a vector of the compiler's own kind, or alone.
template <std::size_t kLanes>
struct Channels {
  using Float [[gnu::vector_size(kLanes * sizeof(float))]] = float;
  using Int [[gnu::vector_size(kLanes * sizeof(int))]] = int;
  using Byte [[gnu::vector_size(kLanes)]] = std::uint8_t;

  template <class V>
  static V load(const void* from) {
    V v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
  }
};

// Calls cell(offset in floats, argmax's number) for each cell, in row-major order. With kSide the
// window is known to be kSide x kSide, and the loops unroll.
template <int kSide, class Cell>
[[gnu::always_inline]] inline void for_cells(const PoolWindows& w, Cell cell) {
  const std::int64_t rows = kSide > 0 ? kSide : w.rows, columns = kSide > 0 ? kSide : w.columns;
  for (std::int64_t cy = 0; cy < rows; ++cy) {
    for (std::int64_t cx = 0; cx < columns; ++cx) {
      cell(cy * w.row_stride + cx * w.channels, w.first_argmax + int(cy) * w.argmax_row + int(cx));
    }
  }
}

// The first of equals wins and so does the first NaN: a comparison with NaN is false.
template <std::size_t kLanes, int kSide>
void max_pool_lanes(const PoolWindows& w, const float* first, bool relu, float* y,
                    std::uint8_t* argmax) {
  using C = Channels<kLanes>;
  using Float = typename C::Float;
  using Int = typename C::Int;
  const Float floor = Float{} + (relu ? 0.0F : -__builtin_inff());
  const auto load = [&](std::int64_t offset) {
    const Float value = C::template load<Float>(first + offset);
    return value <= floor ? floor : value;
  };
  Float best = load(0);
  Int index = Int{} + w.first_argmax;
  for_cells<kSide>(w, [&](std::int64_t offset, int number) {
    const Float value = load(offset);
    const Int loses = (value <= best) | (best != best);
    best = loses ? best : value;
    index = loses ? index : Int{} + number;
  });
  if (relu) index = best > 0 ? index : Int{} + kNobody;
  const auto bytes = __builtin_convertvector(index, typename C::Byte);
  __builtin_memcpy(y, &best, sizeof best);
  __builtin_memcpy(argmax, &bytes, sizeof bytes);
}

template <std::size_t kLanes, int kSide>
void unpool_lanes(const PoolWindows& w, const float* dy, const std::uint8_t* argmax, float* first) {
  using C = Channels<kLanes>;
  using Float = typename C::Float;
  using Int = typename C::Int;
  const Float gradient = C::template load<Float>(dy);
  const Int index = __builtin_convertvector(C::template load<typename C::Byte>(argmax), Int);
  for_cells<kSide>(w, [&](std::int64_t offset, int number) {
    const Float value = index == number ? gradient : Float{};
    __builtin_memcpy(first + offset, &value, sizeof value);
  });
}

// All channels by vectors. The last vector may begin inside the one before and repeat its work,
// which changes nothing; only fewer channels than a vector go one by one.
template <std::int64_t kLanes, class Full, class Single>
[[gnu::always_inline]] inline void for_channels(std::int64_t channels, Full full, Single single) {
  if (channels < kLanes) {
    for (std::int64_t c = 0; c < channels; ++c) single(c);
    return;
  }
  for (std::int64_t c = 0; c + kLanes < channels; c += kLanes) full(c);
  full(channels - kLanes);
}

template <std::size_t kLanes, int kSide>
void max_pool_windows(const PoolWindows& w, const float* first, bool relu, float* y,
                      std::uint8_t* argmax) {
  for (std::int64_t i = 0; i < w.count; ++i) {
    for_channels<kLanes>(
        w.channels,
        [&](std::int64_t c) {
          max_pool_lanes<kLanes, kSide>(w, first + c, relu, y + c, argmax + c);
        },
        [&](std::int64_t c) { max_pool_lanes<1, kSide>(w, first + c, relu, y + c, argmax + c); });
    first += w.step;
    y += w.channels;
    argmax += w.channels;
  }
}

template <std::size_t kLanes, int kSide>
void unpool_windows(const PoolWindows& w, const float* dy, const std::uint8_t* argmax,
                    float* first) {
  for (std::int64_t i = 0; i < w.count; ++i) {
    for_channels<kLanes>(
        w.channels,
        [&](std::int64_t c) { unpool_lanes<kLanes, kSide>(w, dy + c, argmax + c, first + c); },
        [&](std::int64_t c) { unpool_lanes<1, kSide>(w, dy + c, argmax + c, first + c); });
    first += w.step;
    dy += w.channels;
    argmax += w.channels;
  }
}

template <std::size_t kLanes>
void max_pool_any(const PoolWindows& w, const float* first, bool relu, float* y,
                  std::uint8_t* argmax) {
  if (w.rows == 2 && w.columns == 2) return max_pool_windows<kLanes, 2>(w, first, relu, y, argmax);
  return max_pool_windows<kLanes, 0>(w, first, relu, y, argmax);
}

template <std::size_t kLanes>
void unpool_any(const PoolWindows& w, const float* dy, const std::uint8_t* argmax, float* first) {
  if (w.rows == 2 && w.columns == 2) return unpool_windows<kLanes, 2>(w, dy, argmax, first);
  return unpool_windows<kLanes, 0>(w, dy, argmax, first);
}

}  // namespace
}  // namespace minicnn
