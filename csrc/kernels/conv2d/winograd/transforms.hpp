#pragma once

#include <cstdint>

namespace minicnn {

// Winograd's algorithm: the convolution of n inputs d with a kernel g of r taps has m = n - r + 1
// outputs. Three matrices compute them with n products instead of m r:
//
//   outputs = A ((G g) * (B d))
//
// The n rows of G and B are points at which polynomials are evaluated.
//
// In two dimensions each matrix is applied to rows and columns, and a tile of m x m outputs takes n
// x n products. The products of all channels, tiles and filters are n x n matrix products. Lavin
// and Gray, Fast Algorithms for Convolutional Neural Networks, 2016. transforms_body.hpp has the
// matrices.

constexpr std::int64_t kWinogradOutputs = 4;  // rows and columns of the outputs of a tile

// to = L from L^T for one of the matrices L, where `from` and `to` are squares of cells. A cell is
// `channels` contiguous values; the cells of neighboring rows are `..._row` floats apart, those of
// neighboring columns `..._column`.
struct WinogradSquare {
  const float* from;
  std::int64_t from_row, from_column;
  float* to;
  std::int64_t to_row, to_column;
  std::int64_t channels;
  const float* relu_mask =
      nullptr;                  // like `from`, which counts as 0 where the mask is not positive
  const float* bias = nullptr;  // added to each cell of `to`; null for zeros
  bool relu = false;            // applied after the bias
  bool stream = false;          // bypass the caches; cells of `to` must be whole cache lines
};

using WinogradTransform = void (*)(const WinogradSquare& square);

// The transforms for kernels of 3 x 3 (6 points) and 5 x 5 (8 points). The gradient of the weights
// is a convolution, too: of the input with a "kernel" of 4 x 4 values of dy. It uses the same input
// transform. `relu_mask` is for `input` and `dy` only; `bias`, `relu` and `stream` are for
// `outputs` only.
struct WinogradTransforms {
  std::int64_t kernel, points;  // rows, and columns
  WinogradTransform input;      // points x points cells -> points x points values
  WinogradTransform weights;    // kernel x kernel -> values
  WinogradTransform outputs;    // values -> 4 x 4
  WinogradTransform dy;         // 4 x 4 -> values
  WinogradTransform dw;         // values -> kernel x kernel

  std::int64_t values() const { return points * points; }
};

#define GEMM_MICRO_KERNEL(isa, rows, columns, row_columns) \
  extern const WinogradTransforms winograd3_##isa;         \
  extern const WinogradTransforms winograd5_##isa;
#include "kernels/gemm/micros.inc"
#undef GEMM_MICRO_KERNEL

// Returns the fastest transforms that may run on this machine, for a kernel of 3 x 3 or 5 x 5.
const WinogradTransforms& winograd_transforms(std::int64_t kernel);

}  // namespace minicnn
