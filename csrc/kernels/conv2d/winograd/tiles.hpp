#pragma once

#include <algorithm>
#include <cstdint>

#include "core/streaming.hpp"
#include "kernels/conv2d/geometry.hpp"
#include "kernels/conv2d/winograd/transforms.hpp"

namespace minicnn {

// The row and column of a tile's first output in image n.
struct TilePosition {
  std::int64_t n, y, x;
};

// The tiles that cover the first `h` rows and `w` columns of the outputs of n images, in row-major
// order. Tiles at the right and bottom may reach beyond.
struct TileGrid {
  std::int64_t images, h, w;

  std::int64_t rows() const { return ceil_div(h, kWinogradOutputs); }
  std::int64_t columns() const { return ceil_div(w, kWinogradOutputs); }
  std::int64_t tiles() const { return images * rows() * columns(); }
  TilePosition position(std::int64_t tile) const {
    const std::int64_t row = tile / columns(), column = tile % columns();
    return {row / rows(), row % rows() * kWinogradOutputs, column * kWinogradOutputs};
  }
};

// Reads squares of `side` x `side` cells of images (N, H, W, C), with zeros around the images.
struct SquareReader {
  Shape4 shape;
  const float *images, *relu_mask;  // relu_mask as in WinogradSquare, or null
  std::int64_t side;

  std::int64_t patch_size() const { return side * side * shape.c; }

  // Makes `square` read the cells from (y, x) of image n on: in place if all of them are inside the
  // image, else in `patch`, which they are copied to.
  void read(std::int64_t n, std::int64_t y, std::int64_t x, float* patch,
            WinogradSquare& square) const;

 private:
  void copy(std::int64_t n, std::int64_t y, std::int64_t x, float* patch) const;
};

// Prefetches `rows` rows of `count` values, `row` apart, before they are read or written. Tiles are
// too short for the hardware prefetcher. The addresses are never dereferenced, so they may be
// invalid.
template <bool kWrite, class T>
void prefetch(const T* first, std::int64_t rows, std::int64_t row, std::int64_t count) {
  constexpr std::int64_t kLine = 64 / sizeof(T);
  for (std::int64_t i = 0; i < rows; ++i, first += row) {
    for (std::int64_t j = 0; j < count; j += kLine) __builtin_prefetch(first + j, kWrite);
  }
}

// Returns the floats from one matrix to the next: an odd number of cache lines, so that the
// elements of a tile in 36 or 64 matrices do not fall into the same cache set.
inline std::int64_t matrix_pitch(std::int64_t floats) {
  return (ceil_div(floats, kCacheLine) | 1) * kCacheLine;
}

// Returns the floats from one row of a matrix to the next: whole cache lines, but not a multiple of
// 1 KB, whose rows would share a quarter of the L1 cache or less.
inline std::int64_t row_pitch(std::int64_t floats) {
  const std::int64_t rounded = ceil_div(floats, kCacheLine) * kCacheLine;
  return rounded % 256 == 0 ? rounded + kCacheLine : rounded;
}

}  // namespace minicnn
