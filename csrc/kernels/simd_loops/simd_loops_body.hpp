#pragma once

#include <cstddef>
#include <type_traits>

#include "kernels/simd_loops/simd_loops.hpp"

// Included by one file per instruction set. The anonymous namespace keeps each file's copy
// separate: with external linkage the linker would keep one for all, perhaps the AVX-512 one, and
// older processors would crash. `kLanes` is the width of the file's vectors in floats.

namespace minicnn {
namespace {

// Vectors of kLanes channels, in the compiler's vector types.
template <std::size_t kLanes>
struct Vectors {
  using Float [[gnu::vector_size(kLanes * sizeof(float))]] = float;
  using Int [[gnu::vector_size(kLanes * sizeof(std::int32_t))]] = std::int32_t;
};

template <class V>
[[gnu::always_inline]] inline V load(const void* from) {
  V v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

template <class V>
[[gnu::always_inline]] inline void store(void* to, const V& v) {
  __builtin_memcpy(to, &v, sizeof v);
}

// Calls body(Vectors, first channel) until all channels have been visited, some perhaps twice: the
// last vector may overlap the one before. Fewer channels than one vector take narrower vectors.
template <std::size_t kLanes, class Body>
[[gnu::always_inline]] inline void for_channels(std::int64_t channels, Body body) {
  constexpr auto kWidth = std::int64_t(kLanes);
  if (channels < kWidth) {
    if constexpr (kLanes > 1) for_channels<(kLanes > 4 ? 4 : 1)>(channels, body);
    return;
  }
  for (std::int64_t c = 0; c + kWidth < channels; c += kWidth) body(Vectors<kLanes>(), c);
  body(Vectors<kLanes>(), channels - kWidth);
}

// Returns the sum of term(row) over the rows. Four partial sums take turns: so an addition need not
// wait for the one before, and the rounding error is smaller.
template <class Terms, class Term>
[[gnu::always_inline]] inline Terms sum_of_rows(std::int64_t rows, Term term) {
  Terms sums[4] = {};
  std::int64_t row = 0;
  for (; row + 4 <= rows; row += 4) {
#pragma GCC unroll 4
    for (std::int64_t i = 0; i < 4; ++i) sums[i].add(term(row + i));
  }
  for (; row < rows; ++row) sums[0].add(term(row));
  sums[0].add(sums[1]);
  sums[2].add(sums[3]);
  sums[0].add(sums[2]);
  return sums[0];
}

template <class Float>
struct Two {
  Float first, second;

  [[gnu::always_inline]] void add(const Two& more) {
    first += more.first;
    second += more.second;
  }
};

template <std::size_t kLanes>
void moments(const RowBlock& block, const float* x, float* center, float* sum, float* square) {
  const auto [rows, stride, channels] = block;
  for_channels<kLanes>(channels, [=, rows = rows, stride = stride](auto vectors, std::int64_t c) {
    using Float = typename decltype(vectors)::Float;
    Float total{};
    for (std::int64_t row = 0; row < rows; ++row) total += load<Float>(x + row * stride + c);
    const Float middle = total / float(rows);
    const auto sums = sum_of_rows<Two<Float>>(rows, [&](std::int64_t row) {
      const Float difference = load<Float>(x + row * stride + c) - middle;
      return Two<Float>{difference, difference * difference};
    });
    store(center + c, middle);
    store(sum + c, sums.first);
    store(square + c, sums.second);
  });
}

template <std::size_t kLanes>
void gradient_sums(const RowBlock& block, const float* dy, const float* x, const float* mean,
                   const float* factor, float* sum, float* product) {
  const auto [rows, stride, channels] = block;
  for_channels<kLanes>(channels, [=, rows = rows, stride = stride](auto vectors, std::int64_t c) {
    using Float = typename decltype(vectors)::Float;
    const Float middle = load<Float>(mean + c), scale = load<Float>(factor + c);
    const auto sums = sum_of_rows<Two<Float>>(rows, [&](std::int64_t row) {
      const Float gradient = load<Float>(dy + row * stride + c);
      const Float x_hat = (load<Float>(x + row * stride + c) - middle) * scale;
      return Two<Float>{gradient, gradient * x_hat};
    });
    store(sum + c, sums.first);
    store(product + c, sums.second);
  });
}

// Philox (core/philox.hpp) of as many blocks at once as Words has lanes of 64 bits. Only the lower
// half of each lane counts; the upper half may hold anything, since `Product` multiplies lower
// halves.
template <class Words, class Product>
void random_words(const PhiloxBlocks& start, std::int64_t blocks, std::uint32_t* words,
                  Product product) {
  constexpr auto kLanes = sizeof(Words) / sizeof(std::uint64_t);
  std::uint64_t lanes[kLanes];
  for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = start.first + i;
  const Words none{}, low = none + 0xFFFFFFFF;
  Words block = load<Words>(lanes);
  for (std::int64_t b = 0; b < blocks; b += std::int64_t(kLanes), block += kLanes) {
    Words c0 = block, c1 = block >> 32, c2 = none + start.purpose, c3 = none + start.step;
    std::uint32_t k0 = start.key[0], k1 = start.key[1];
    for (int round = 0; round < 10; ++round) {
      const Words p0 = product(c0, none + 0xD2511F53), p1 = product(c2, none + 0xCD9E8D57);
      c0 = (p1 >> 32) ^ c1 ^ (none + k0);
      c2 = (p0 >> 32) ^ c3 ^ (none + k1);
      c1 = p1;
      c3 = p0;
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    std::uint64_t first[kLanes], second[kLanes];
    store(first, (c0 & low) | (c1 << 32));
    store(second, (c2 & low) | (c3 << 32));
    std::uint32_t* to = words + 4 * b;
    for (std::size_t i = 0; i < kLanes; ++i) {
      store(to + 4 * i, first[i]);
      store(to + 4 * i + 2, second[i]);
    }
  }
}

void drop(const float* x, std::int64_t size, const std::uint32_t* words, std::uint32_t threshold,
          float scale, float* y) {
  const auto limit = std::int32_t(threshold);
  for (std::int64_t i = 0; i < size; ++i) {
    const float value = x[i] * scale;
    y[i] = std::int32_t(words[i] >> 8) >= limit ? value : 0.0F;
  }
}

template <std::size_t kLanes>
void max_of_cells(const PoolCells& cells, const float* first, float* y, std::int32_t* argmax) {
  for_channels<kLanes>(cells.channels, [&](auto vectors, std::int64_t c) {
    using Float = typename decltype(vectors)::Float;
    using Int = typename decltype(vectors)::Int;
    Float best = load<Float>(first + c);
    Int index = Int{} + cells.first_cell;
    for (std::int64_t row = 0; row < cells.rows; ++row) {
      const float* cell = first + row * cells.row_stride + c;
      std::int32_t cell_index = cells.first_cell + std::int32_t(row) * cells.cells_per_row;
      for (std::int64_t i = 0; i < cells.columns; ++i, ++cell_index, cell += cells.channels) {
        const Float value = load<Float>(cell);
        const Int keeps = (value <= best) | (best != best);  // a comparison with NaN is false
        best = keeps ? best : value;
        index = keeps ? index : Int{} + cell_index;
      }
    }
    store(y + c, best);
    store(argmax + c, index);
  });
}

// Calls body for every channel exactly once, as loops need that add to memory: what does not fill a
// vector takes narrower ones.
template <std::size_t kLanes, class Body>
[[gnu::always_inline]] inline void for_channels_once(std::int64_t channels, Body body,
                                                     std::int64_t c = 0) {
  for (; c + std::int64_t(kLanes) <= channels; c += std::int64_t(kLanes)) {
    body(Vectors<kLanes>(), c);
  }
  if constexpr (kLanes > 1) for_channels_once<(kLanes > 4 ? 4 : 1)>(channels, body, c);
}

// multiply_taps for kPixels pixels at once: each loaded weight serves all of them.
template <std::size_t kLanes, std::size_t kPixels>
void multiply_taps_of(const TapSpan& span, const float* x, const float* w, const float* bias,
                      float* y) {
  const std::int64_t x_step = span.x_step, y_step = span.y_step, taps = span.tap_count;
  const Tap* first = span.taps;
  for_channels<kLanes>(span.channels, [=](auto vectors, std::int64_t c) {
    using Float = typename decltype(vectors)::Float;
    const Float start = bias == nullptr ? Float{} : load<Float>(bias + c);
    Float sums[kPixels];
    for (Float& sum : sums) sum = start;
    for (const Tap *tap = first, *end = first + taps; tap != end; ++tap) {
      const Float factor = load<Float>(w + tap->w + c);
      const float* from = x + tap->x + c;
#pragma GCC unroll 4
      for (std::size_t i = 0; i < kPixels; ++i) {
        sums[i] += load<Float>(from + std::int64_t(i) * x_step) * factor;
      }
    }
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kPixels; ++i) store(y + std::int64_t(i) * y_step + c, sums[i]);
  });
}

constexpr std::int64_t kLine = 16;  // floats per cache line

// Prefetches `count` floats. The hardware prefetcher does not follow several arrays that take
// turns: depthwise convolutions of 26 MB take half the time with this (AMD EPYC 9005, 2026-11).
[[gnu::always_inline]] inline void prefetch_floats(const float* p, std::int64_t count) {
  for (std::int64_t i = 0; i < count; i += kLine) __builtin_prefetch(p + i);
}

// Returns the largest offset among the taps: what this tap reads is not in the cache yet.
[[gnu::always_inline]] inline std::int64_t furthest(const TapSpan& span) {
  std::int64_t x = 0;
  for (const Tap* tap = span.taps; tap != span.taps + span.tap_count; ++tap) {
    if (tap->x > x) x = tap->x;
  }
  return x;
}

template <std::size_t kLanes>
void multiply_taps(const TapSpan& span, const float* x, const float* w, const float* bias,
                   float* y) {
  std::int64_t i = 0;
  constexpr std::int64_t kAhead = 12;  // pixels
  const float* next_x = x + furthest(span) + kAhead * span.x_step;
  const float* next_y = y + kAhead * span.y_step;
  for (; i + 4 <= span.pixels; i += 4) {
    prefetch_floats(next_x + i * span.x_step, 4 * span.x_step);
    prefetch_floats(next_y + i * span.y_step, 4 * span.y_step);
    multiply_taps_of<kLanes, 4>(span, x + i * span.x_step, w, bias, y + i * span.y_step);
  }
  for (; i < span.pixels; ++i) {
    multiply_taps_of<kLanes, 1>(span, x + i * span.x_step, w, bias, y + i * span.y_step);
  }
}

// add_tap_products for kTaps taps at once: each loaded gradient serves all of them.
template <std::size_t kLanes, std::size_t kTaps>
void add_products_of(const TapSpan& span, const Tap* taps, const float* x, const float* dy,
                     float* dw) {
  const std::int64_t x_step = span.x_step, y_step = span.y_step, pixels = span.pixels;
  for_channels_once<kLanes>(span.channels, [=](auto vectors, std::int64_t c) {
    using Float = typename decltype(vectors)::Float;
    Float sums[kTaps] = {};
    const float* from[kTaps];
    for (std::size_t t = 0; t < kTaps; ++t) from[t] = x + taps[t].x + c;
    for (std::int64_t i = 0; i < pixels; ++i) {
      const Float gradient = load<Float>(dy + i * y_step + c);
#pragma GCC unroll 3
      for (std::size_t t = 0; t < kTaps; ++t) {
        sums[t] += load<Float>(from[t] + i * x_step) * gradient;
      }
    }
    for (std::size_t t = 0; t < kTaps; ++t) {
      float* to = dw + taps[t].w + c;
      store(to, load<Float>(to) + sums[t]);
    }
  });
}

// Takes a few pixels at a time: a whole row of pixels with 2^n channels would not stay in the L1
// cache.
template <std::size_t kLanes>
void add_tap_products(const TapSpan& span, const float* x, const float* dy, float* dw) {
  constexpr std::int64_t kPixels = 8;
  const std::int64_t next = furthest(span) + kPixels * span.x_step;
  TapSpan part = span;
  for (std::int64_t left = span.pixels; left > 0; left -= kPixels) {
    part.pixels = left < kPixels ? left : kPixels;
    prefetch_floats(x + next, kPixels * span.x_step);
    prefetch_floats(dy + kPixels * span.y_step, kPixels * span.y_step);
    const Tap *tap = span.taps, *end = tap + span.tap_count;
    for (; tap + 3 <= end; tap += 3) add_products_of<kLanes, 3>(part, tap, x, dy, dw);
    for (; tap < end; ++tap) add_products_of<kLanes, 1>(part, tap, x, dy, dw);
    x += kPixels * span.x_step;
    dy += kPixels * span.y_step;
  }
}

template <std::size_t kLanes>
void add_at_argmax(const PoolCells& cells, const float* dy, const std::int32_t* argmax, float* dx) {
  for (std::int64_t i = 0; i < cells.columns; ++i, dx += cells.channels) {
    const std::int32_t cell_index = cells.first_cell + std::int32_t(i);
    for_channels_once<kLanes>(cells.channels, [=](auto vectors, std::int64_t c) {
      using Float = typename decltype(vectors)::Float;
      using Int = typename decltype(vectors)::Int;
      const Int is_argmax = load<Int>(argmax + c) == cell_index;
      store(dx + c, load<Float>(dx + c) + (is_argmax ? load<Float>(dy + c) : Float{}));
    });
  }
}

// Three channels and one unused value.
using Pixel [[gnu::vector_size(16)]] = float;
constexpr std::int64_t kPixelBytes = 3 * sizeof(float);

// Implements mix_pixels and mix_floats of SimdLoops; load_pixel(p) returns the pixel at p.
template <class T, class Load>
[[gnu::always_inline]] inline void mix_pixels(const SamplePoints& points, const T* x, float scale,
                                              float* y, Load load_pixel) {
  for (std::int64_t i = 0; i < points.count; ++i) {
    const T* above = x + points.offset[i];
    const T* below = above + points.below;
    const float down = points.down[i], across = points.across[i];
    const Pixel here = load_pixel(above), under = load_pixel(below);
    const Pixel upper = here + (load_pixel(above + 3) - here) * across;
    const Pixel lower = under + (load_pixel(below + 3) - under) * across;
    const Pixel mixed = (upper + (lower - upper) * down) * scale;
    // The unused fourth value is overwritten by the next pixel.
    __builtin_memcpy(y + 3 * i, &mixed, i + 1 < points.count ? sizeof mixed : kPixelBytes);
  }
}

void mix_floats(const SamplePoints& points, const float* x, float scale, float* y) {
  mix_pixels(points, x, scale, y, [](const float* from) { return load<Pixel>(from); });
}

}  // namespace
}  // namespace minicnn
