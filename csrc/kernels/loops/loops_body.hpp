#pragma once

#include <cstddef>
#include <type_traits>

#include "kernels/loops/loops.hpp"

// Included by one file per instruction set. The anonymous namespace keeps each file's copy its own:
// with external linkage the linker would keep one for all, perhaps the AVX-512 one, and older
// processors would die on it. `kLanes` is the width of the file's vectors in floats.

namespace minicnn {
namespace {

// The compiler's own vectors.
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

// Calls body(Vectors, first channel) until all channels had their turn, some perhaps twice: the
// last vector begins inside the one before. Few channels take narrower vectors.
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

// Sums of `rows` terms, which term(row) gives. Four take turns: an addition need not wait for the
// last one, and a sum of a quarter of the terms is rounded less.
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
void moments(const RowBlock& block, const float* x, float* centre, float* sum, float* square) {
  const auto [rows, stride, channels] = block;
  for_channels<kLanes>(channels, [=, rows = rows, stride = stride](auto vectors, std::int64_t c) {
    using Float = typename decltype(vectors)::Float;
    Float total{};
    for (std::int64_t row = 0; row < rows; ++row) total += load<Float>(x + row * stride + c);
    const Float middle = total / float(rows);
    const auto sums = sum_of_rows<Two<Float>>(rows, [&](std::int64_t row) {
      const Float deviation = load<Float>(x + row * stride + c) - middle;
      return Two<Float>{deviation, deviation * deviation};
    });
    store(centre + c, middle);
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

// core/philox.hpp for as many blocks at once as Words has lanes of 64 bits. What counts is the
// lower half of each lane; the upper one may hold anything, as `Product` multiplies the lower ones.
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
  const auto least = std::int32_t(threshold);
  for (std::int64_t i = 0; i < size; ++i) {
    const float value = x[i] * scale;
    y[i] = std::int32_t(words[i] >> 8) >= least ? value : 0.0F;
  }
}

template <std::size_t kLanes>
void max_of_cells(const PoolCells& cells, const float* first, float* y, std::int32_t* winner) {
  for_channels<kLanes>(cells.channels, [&](auto vectors, std::int64_t c) {
    using Float = typename decltype(vectors)::Float;
    using Int = typename decltype(vectors)::Int;
    Float best = load<Float>(first + c);
    Int index = Int{} + cells.first_number;
    for (std::int64_t row = 0; row < cells.rows; ++row) {
      const float* cell = first + row * cells.row_stride + c;
      std::int32_t number = cells.first_number + std::int32_t(row) * cells.row_numbers;
      for (std::int64_t i = 0; i < cells.columns; ++i, ++number, cell += cells.channels) {
        const Float value = load<Float>(cell);
        const Int loses = (value <= best) | (best != best);  // a comparison with NaN is false
        best = loses ? best : value;
        index = loses ? index : Int{} + number;
      }
    }
    store(y + c, best);
    store(winner + c, index);
  });
}

template <std::size_t kLanes>
void add_winners(const PoolCells& cells, const float* dy, const std::int32_t* winner, float* dx) {
  using Float = typename Vectors<kLanes>::Float;
  using Int = typename Vectors<kLanes>::Int;
  for (std::int64_t i = 0; i < cells.columns; ++i, dx += cells.channels) {
    const std::int32_t number = cells.first_number + std::int32_t(i);
    std::int64_t c = 0;
    for (; c + std::int64_t(kLanes) <= cells.channels; c += std::int64_t(kLanes)) {
      const Int wins = load<Int>(winner + c) == number;
      store(dx + c, load<Float>(dx + c) + (wins ? load<Float>(dy + c) : Float{}));
    }
    for (; c < cells.channels; ++c) dx[c] += winner[c] == number ? dy[c] : 0.0F;
  }
}

}  // namespace
}  // namespace minicnn
