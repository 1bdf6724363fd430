#pragma once

#include <cstddef>
#include <cstdint>

#include "core/scratch.hpp"
#include "kernels/conv2d/geometry.hpp"
#include "kernels/gemm/product.hpp"

namespace minicnn {

// The direct convolution: every product of the formula, in tiles of gemm/.
//   x (N, H, W, C)  w (KH, KW, C / groups, filters)  b (filters,) or null
//   y (N, OH, OW, filters)   written; with `relu`, 0 where it would be negative
void direct_forward(const Conv2D& conv, const float* x, const float* w, const float* b, bool relu,
                    float* y, char* scratch) noexcept;
std::size_t direct_forward_scratch(const Conv2D& conv);

// Computes pieces of output rows; made once per call and used by all workers.
//
// If the windows of a piece lie inside the image, they read x in place. Otherwise they read a copy
// of the input rows below them, with zeros around the image. The sums and their order are the same,
// so the bits of an output depend on nothing but its own window.
class ForwardRows {
 public:
  // `columns` is the number of outputs of a row that will be computed, in forward_pieces(columns)
  // pieces. `relu` and `stream` mean the same as in MicroTile.
  ForwardRows(const Conv2D& conv, std::int64_t columns, const float* x, const float* w,
              const float* b, bool relu, bool stream, ScratchAllocator& allocator);

  // Computes the outputs (oy, ox), ..., (oy, ox + columns - 1) of image n for the filters of the
  // slices [first, last). A slice is as many filters of one group as a tile has columns. `out` is
  // the address of filter 0 of output (oy, ox); neighboring outputs are `filters` floats apart.
  void run(std::int64_t n, std::int64_t oy, std::int64_t ox, std::int64_t columns,
           std::int64_t first, std::int64_t last, float* out, int worker) const;
  std::int64_t slices() const { return conv_.groups * slices_per_group_; }

 private:
  BlockedSum sum_of_taps(std::int64_t row_stride, ScratchAllocator& allocator) const;
  bool inside(std::int64_t oy, std::int64_t ox, std::int64_t columns) const;
  void copy_rows(std::int64_t n, std::int64_t oy, std::int64_t ox, std::int64_t columns,
                 float* patch) const;

  Conv2D conv_;
  const float *x_, *w_, *b_;
  bool relu_, stream_;
  const MicroKernel& micro_;
  std::int64_t slice_;  // filters
  std::int64_t slices_per_group_;
  std::int64_t patch_columns_;   // of the longest piece
  BlockedSum direct_, patched_;  // of windows in x, of windows in a patch
  float* patches_;               // (workers, KH, patch_columns_, C)
};

// Returns the number of pieces that an output row of `columns` pixels is divided into. A piece is a
// few tiles long, so that its inputs stay in cache for all slices.
std::int64_t forward_pieces(std::int64_t columns);

}  // namespace minicnn
