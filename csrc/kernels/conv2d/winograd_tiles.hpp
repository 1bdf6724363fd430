#pragma once

#include <algorithm>
#include <cstdint>

#include "core/streaming.hpp"
#include "kernels/conv2d/geometry.hpp"
#include "kernels/conv2d/winograd_transforms.hpp"

namespace minicnn {

// Row and column of a tile's first output in image n.
struct TilePlace {
  std::int64_t n, y, x;
};

// The tiles that cover the first `h` rows and `w` columns of the outputs of n images, in row-major
// order. Those at the right and at the bottom may reach beyond.
struct TileGrid {
  std::int64_t images, h, w;

  std::int64_t rows() const { return ceil_div(h, kWinogradOutputs); }
  std::int64_t columns() const { return ceil_div(w, kWinogradOutputs); }
  std::int64_t tiles() const { return images * rows() * columns(); }
  TilePlace place(std::int64_t tile) const {
    const std::int64_t row = tile / columns(), column = tile % columns();
    return {row / rows(), row % rows() * kWinogradOutputs, column * kWinogradOutputs};
  }
};

// Squares of `side` x `side` cells of images (N, H, W, C), with zeros around the images.
struct SquareReader {
  Shape4 shape;
  const float *images, *gate;  // gate as in WinogradSquare, or null
  std::int64_t side;

  std::int64_t patch_size() const { return side * side * shape.c; }

  // Sets what `square` reads: the cells from (y, x) of image n on, where they are if all of them
  // are inside, else in `patch`, into which they are copied.
  void read(std::int64_t n, std::int64_t y, std::int64_t x, float* patch,
            WinogradSquare& square) const;

 private:
  void copy(std::int64_t n, std::int64_t y, std::int64_t x, float* patch) const;
};

// Asks for `rows` rows of `count` numbers, `row` apart, before they are read or written. Tiles are
// too short for the processor to guess the next one; it is another address that is never followed,
// so it may lie anywhere.
template <bool kWrite, class T>
void prefetch(const T* first, std::int64_t rows, std::int64_t row, std::int64_t count) {
  constexpr std::int64_t kLine = 64 / sizeof(T);
  for (std::int64_t i = 0; i < rows; ++i, first += row) {
    for (std::int64_t j = 0; j < count; j += kLine) __builtin_prefetch(first + j, kWrite);
  }
}

// Floats from one matrix to the next: an odd number of cache lines, so that tile t of 36 or 64
// matrices does not meet itself in the same lines of a cache.
inline std::int64_t matrix_pitch(std::int64_t floats) {
  return (ceil_div(floats, kCacheLine) | 1) * kCacheLine;
}

// Floats from one row of a matrix to the next: whole cache lines, but no multiple of 1 KB, whose
// rows would share a quarter of the nearest cache or less.
inline std::int64_t row_pitch(std::int64_t floats) {
  const std::int64_t rounded = ceil_div(floats, kCacheLine) * kCacheLine;
  return rounded % 256 == 0 ? rounded + kCacheLine : rounded;
}

}  // namespace minicnn
