#pragma once

#include <cstddef>

#include "kernels/simd_loops/simd_loops_body.hpp"

// The loops over the windows of a max pooling that is fused with a convolution, and the table of
// all loops. Included by one file per instruction set, after simd_loops_body.hpp.

namespace minicnn {
namespace {

// Vectors of kLanes channels; kLanes may be 1.
template <std::size_t kLanes>
struct ChannelVectors {
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

// Calls cell(offset in floats, the cell's index in the window) for each cell, in row-major order.
// With kSide > 0 the window is known to be kSide x kSide, and the loops unroll.
template <int kSide, class Cell>
[[gnu::always_inline]] inline void for_cells(const PoolWindows& w, Cell cell) {
  const std::int64_t rows = kSide > 0 ? kSide : w.rows, columns = kSide > 0 ? kSide : w.columns;
  for (std::int64_t cy = 0; cy < rows; ++cy) {
    for (std::int64_t cx = 0; cx < columns; ++cx) {
      cell(cy * w.row_stride + cx * w.channels, w.first_cell + int(cy) * w.cells_per_row + int(cx));
    }
  }
}

// The maximum is the first of equal values, or the first NaN: every comparison with NaN is false.
template <std::size_t kLanes, int kSide>
void max_pool_lanes(const PoolWindows& w, const float* first, bool relu, float* y,
                    std::uint8_t* argmax) {
  using C = ChannelVectors<kLanes>;
  using Float = typename C::Float;
  using Int = typename C::Int;
  const Float floor = Float{} + (relu ? 0.0F : -__builtin_inff());
  const auto load = [&](std::int64_t offset) {
    const Float value = C::template load<Float>(first + offset);
    return value <= floor ? floor : value;
  };
  Float best = load(0);
  Int index = Int{} + w.first_cell;
  for_cells<kSide>(w, [&](std::int64_t offset, int cell) {
    const Float value = load(offset);
    const Int keeps = (value <= best) | (best != best);
    best = keeps ? best : value;
    index = keeps ? index : Int{} + cell;
  });
  if (relu) index = best > 0 ? index : Int{} + kNoArgmax;
  const auto bytes = __builtin_convertvector(index, typename C::Byte);
  __builtin_memcpy(y, &best, sizeof best);
  __builtin_memcpy(argmax, &bytes, sizeof bytes);
}

template <std::size_t kLanes, int kSide>
void unpool_lanes(const PoolWindows& w, const float* dy, const std::uint8_t* argmax, float* first) {
  using C = ChannelVectors<kLanes>;
  using Float = typename C::Float;
  using Int = typename C::Int;
  const Float gradient = C::template load<Float>(dy);
  const Int index = __builtin_convertvector(C::template load<typename C::Byte>(argmax), Int);
  for_cells<kSide>(w, [&](std::int64_t offset, int cell) {
    const Float value = index == cell ? gradient : Float{};
    __builtin_memcpy(first + offset, &value, sizeof value);
  });
}

// Visits all channels in full vectors. The last vector may overlap the one before and repeat some
// of its work, which changes nothing. Fewer channels than one vector are visited one by one.
template <std::int64_t kLanes, class Full, class Single>
[[gnu::always_inline]] inline void for_window_channels(std::int64_t channels, Full full,
                                                       Single single) {
  if (channels < kLanes) {
    for (std::int64_t c = 0; c < channels; ++c) single(c);
    return;
  }
  for (std::int64_t c = 0; c + kLanes < channels; c += kLanes) full(c);
  full(channels - kLanes);
}

template <std::size_t kLanes, int kSide>
void max_pool_each(const PoolWindows& w, const float* first, bool relu, float* y,
                   std::uint8_t* argmax) {
  for (std::int64_t i = 0; i < w.count; ++i) {
    for_window_channels<kLanes>(
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
void unpool_each(const PoolWindows& w, const float* dy, const std::uint8_t* argmax, float* first) {
  for (std::int64_t i = 0; i < w.count; ++i) {
    for_window_channels<kLanes>(
        w.channels,
        [&](std::int64_t c) { unpool_lanes<kLanes, kSide>(w, dy + c, argmax + c, first + c); },
        [&](std::int64_t c) { unpool_lanes<1, kSide>(w, dy + c, argmax + c, first + c); });
    first += w.step;
    dy += w.channels;
    argmax += w.channels;
  }
}

template <std::size_t kLanes>
void max_pool_windows(const PoolWindows& w, const float* first, bool relu, float* y,
                      std::uint8_t* argmax) {
  if (w.rows == 2 && w.columns == 2) return max_pool_each<kLanes, 2>(w, first, relu, y, argmax);
  return max_pool_each<kLanes, 0>(w, first, relu, y, argmax);
}

template <std::size_t kLanes>
void unpool_windows(const PoolWindows& w, const float* dy, const std::uint8_t* argmax,
                    float* first) {
  if (w.rows == 2 && w.columns == 2) return unpool_each<kLanes, 2>(w, dy, argmax, first);
  return unpool_each<kLanes, 0>(w, dy, argmax, first);
}

// The table of one instruction set. The functions are arguments, not lambdas in the table: a lambda
// there would have external linkage, and the linker could keep it for other instruction sets.
template <std::size_t kLanes>
constexpr SimdLoops table_of(const char* name, Isa needs, decltype(SimdLoops::random_words) random,
                             decltype(SimdLoops::mix_pixels) mix_bytes) {
  return {name,
          needs,
          multiply_taps<kLanes>,
          add_tap_products<kLanes>,
          moments<kLanes>,
          gradient_sums<kLanes>,
          random,
          drop,
          max_of_cells<kLanes>,
          add_at_argmax<kLanes>,
          max_pool_windows<kLanes>,
          unpool_windows<kLanes>,
          mix_bytes,
          mix_floats};
}

}  // namespace
}  // namespace minicnn
