#pragma once

#include <cstdint>

namespace minicnn {

// Winograd's algorithm: a convolution of n numbers d with a kernel g of r taps has m = n - r + 1
// outputs; with three matrices they come from n products instead of m r:
//
//   outputs = A ((G g) * (B d))      rows of A, G and B: n points where polynomials take values
//
// In two dimensions each matrix is applied to rows and columns, and a tile of m x m outputs takes
// n x n products. The products of all channels, tiles and filters make n x n matrix products.
// Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016. winograd_body.hpp has
// the matrices.

constexpr std::int64_t kWinogradOutputs = 4;  // rows and columns of the outputs of a tile

// to = L from L^T for one of the matrices L: squares of cells, each cell `channels` numbers side by
// side, a cell's neighbors `row` and `column` floats from it.
struct WinogradSquare {
  const float* from;
  std::int64_t from_row, from_column;
  float* to;
  std::int64_t to_row, to_column;
  std::int64_t channels;
  const float* gate = nullptr;  // laid out as `from`, which counts as 0 where it is not positive
  const float* bias = nullptr;  // added to each cell of `to`; null for zeros
  bool relu = false;            // of the sum
  bool stream = false;          // `to` is written past the caches; its cells are whole cache lines
};

using WinogradTransform = void (*)(const WinogradSquare& square);

// The transforms of kernels of 3 x 3 (6 points) and 5 x 5 (8 points). The weights' gradient is a
// convolution, too: of the input with a "kernel" of 4 x 4 numbers of dy. It shares the input's
// transform. `gate` is for the input's and dy's alone; `bias`, `relu` and `stream` for the
// outputs'.
struct WinogradTransforms {
  std::int64_t kernel, points;  // rows, and columns
  WinogradTransform input;      // points x points cells -> points x points values
  WinogradTransform weights;    // kernel x kernel -> values
  WinogradTransform outputs;    // values -> 4 x 4
  WinogradTransform dy;         // 4 x 4 -> values
  WinogradTransform dw;         // values -> kernel x kernel

  std::int64_t values() const { return points * points; }
};

#define CONV2D_MICRO(isa, rows, columns, row_columns) \
  extern const WinogradTransforms winograd3_##isa;    \
  extern const WinogradTransforms winograd5_##isa;
#include "kernels/conv2d/micros.inc"
#undef CONV2D_MICRO

// The fastest ones that may run here, for a kernel of 3 x 3 or 5 x 5.
const WinogradTransforms& winograd_transforms(std::int64_t kernel);

}  // namespace minicnn
