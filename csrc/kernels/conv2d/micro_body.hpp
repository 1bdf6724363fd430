#pragma once

#include <cstddef>
#include <utility>

#include "kernels/conv2d/micro.hpp"

// Included by one file per instruction set. The anonymous namespace keeps each file's copy its own:
// with external linkage the linker would keep one for all, perhaps the AVX-512 one, and older
// processors would die on it. A vector type gives V, kLanes, Mask, and functions on them.

namespace minicnn {
namespace {

// A tile is one full vector of columns (kWide, else none) and a masked last one. `Last` may be
// narrower: a half-width multiplication costs half on processors that split the full width.
template <class Wide, class Last, bool kWide, std::size_t kRows>
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

  for (const Run *run = t.runs, *end = run + t.run_count; run != end; ++run) {
    const float* a = t.a + run->a;
    const float* b = t.b + run->b;
    for (std::int64_t k = run->length; k > 0; --k, a += t.a_step, b += t.b_row) {
      const typename Last::V last_b = Last::load(b + kFirst, mask);
      if constexpr (kWide) {
        const typename Wide::V wide_b = Wide::load(b);
#pragma GCC unroll 16
        for (std::size_t i = 0; i < kRows; ++i) {
          const typename Wide::V factor = Wide::broadcast(a[std::int64_t(i) * t.a_row]);
          wide[i] = Wide::multiply_add(factor, wide_b, wide[i]);
          last[i] = Last::multiply_add(Last::narrow(factor), last_b, last[i]);
        }
      } else {
#pragma GCC unroll 16
        for (std::size_t i = 0; i < kRows; ++i) {
          const typename Last::V factor = Last::broadcast(a[std::int64_t(i) * t.a_row]);
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
  static constexpr RunTile kByRows[] = {run_tile<Wide, Last, kWide, kRows + 1>...};
  kByRows[rows - 1](t, last_columns);
}

// Picks the cheapest vectors that cover the columns.
template <class Wide, class Half, std::size_t kMaxRows>
void run_any(const Tile& t, int rows, int columns) {
  constexpr std::make_index_sequence<kMaxRows> kRows{};
  const int rest = columns - Wide::kLanes;
  if (rest > Half::kLanes) return run_rows<Wide, Wide, true>(kRows, t, rows, rest);
  if (rest > 0) return run_rows<Wide, Half, true>(kRows, t, rows, rest);
  if (columns > Half::kLanes) return run_rows<Wide, Wide, false>(kRows, t, rows, columns);
  return run_rows<Wide, Half, false>(kRows, t, rows, columns);
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

// Calls cell(offset in floats, winner's number) for each cell, in row-major order. With kSide the
// window is known to be kSide x kSide, and the loops unroll.
template <int kSide, class Cell>
[[gnu::always_inline]] inline void for_cells(const PoolWindows& w, Cell cell) {
  const std::int64_t rows = kSide > 0 ? kSide : w.rows, columns = kSide > 0 ? kSide : w.columns;
  for (std::int64_t cy = 0; cy < rows; ++cy) {
    for (std::int64_t cx = 0; cx < columns; ++cx) {
      cell(cy * w.row_stride + cx * w.channels, w.first_winner + int(cy) * w.winner_row + int(cx));
    }
  }
}

// The first of equals wins and so does the first NaN: a comparison with NaN is false.
template <std::size_t kLanes, int kSide>
void max_pool_lanes(const PoolWindows& w, const float* first, bool relu, float* y,
                    std::uint8_t* winner) {
  using C = Channels<kLanes>;
  using Float = typename C::Float;
  using Int = typename C::Int;
  const Float floor = Float{} + (relu ? 0.0F : -__builtin_inff());
  const auto load = [&](std::int64_t offset) {
    const Float value = C::template load<Float>(first + offset);
    return value <= floor ? floor : value;
  };
  Float best = load(0);
  Int index = Int{} + w.first_winner;
  for_cells<kSide>(w, [&](std::int64_t offset, int number) {
    const Float value = load(offset);
    const Int loses = (value <= best) | (best != best);
    best = loses ? best : value;
    index = loses ? index : Int{} + number;
  });
  const auto bytes = __builtin_convertvector(index, typename C::Byte);
  __builtin_memcpy(y, &best, sizeof best);
  __builtin_memcpy(winner, &bytes, sizeof bytes);
}

template <std::size_t kLanes, int kSide>
void unpool_lanes(const PoolWindows& w, const float* dy, const std::uint8_t* winner, float* first) {
  using C = Channels<kLanes>;
  using Float = typename C::Float;
  using Int = typename C::Int;
  const Float gradient = C::template load<Float>(dy);
  const Int index = __builtin_convertvector(C::template load<typename C::Byte>(winner), Int);
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
                      std::uint8_t* winner) {
  for (std::int64_t i = 0; i < w.count; ++i) {
    for_channels<kLanes>(
        w.channels,
        [&](std::int64_t c) {
          max_pool_lanes<kLanes, kSide>(w, first + c, relu, y + c, winner + c);
        },
        [&](std::int64_t c) { max_pool_lanes<1, kSide>(w, first + c, relu, y + c, winner + c); });
    first += w.step;
    y += w.channels;
    winner += w.channels;
  }
}

template <std::size_t kLanes, int kSide>
void unpool_windows(const PoolWindows& w, const float* dy, const std::uint8_t* winner,
                    float* first) {
  for (std::int64_t i = 0; i < w.count; ++i) {
    for_channels<kLanes>(
        w.channels,
        [&](std::int64_t c) { unpool_lanes<kLanes, kSide>(w, dy + c, winner + c, first + c); },
        [&](std::int64_t c) { unpool_lanes<1, kSide>(w, dy + c, winner + c, first + c); });
    first += w.step;
    dy += w.channels;
    winner += w.channels;
  }
}

template <std::size_t kLanes>
void max_pool_any(const PoolWindows& w, const float* first, bool relu, float* y,
                  std::uint8_t* winner) {
  if (w.rows == 2 && w.columns == 2) return max_pool_windows<kLanes, 2>(w, first, relu, y, winner);
  return max_pool_windows<kLanes, 0>(w, first, relu, y, winner);
}

template <std::size_t kLanes>
void unpool_any(const PoolWindows& w, const float* dy, const std::uint8_t* winner, float* first) {
  if (w.rows == 2 && w.columns == 2) return unpool_windows<kLanes, 2>(w, dy, winner, first);
  return unpool_windows<kLanes, 0>(w, dy, winner, first);
}

}  // namespace
}  // namespace minicnn
