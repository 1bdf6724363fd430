#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/conv2d/carver.hpp"
#include "kernels/conv2d/geometry.hpp"
#include "kernels/conv2d/product.hpp"

namespace minicnn {

//   x (N, H, W, C)  w (KH, KW, C / groups, filters)  b (filters,) or null
//   y (N, OH, OW, filters)   written; with `relu`, 0 where the sum is negative
void direct_forward(const Conv2D& conv, const float* x, const float* w, const float* b, bool relu,
                    float* y, char* scratch) noexcept;
std::size_t direct_forward_scratch(const Conv2D& conv);

// Computes pieces of output rows; made once a call, used by all workers.
//
// A piece whose windows lie inside the image reads x where it is. Any other reads a copy of the
// input rows it sees, with zeros around the image: the same sums in the same order, so an output's
// bits depend on nothing but its own window.
class ForwardRows {
 public:
  // Of each output row, the first `columns` will be asked for, in forward_pieces(columns).
  // `relu` and `stream` as in Tile.
  ForwardRows(const Conv2D& conv, std::int64_t columns, const float* x, const float* w,
              const float* b, bool relu, bool stream, Carver& carver);

  // A slice is as many filters of one group as fit a tile, a long one where a row of outputs is one
  // pixel. Output row `oy` of image `n`, columns
  // [ox, ox + columns), filters of the slices [first, last), to `out` with pixels `filters` apart.
  // `out` is the address of pixel `ox`, filter 0.
  void run(std::int64_t n, std::int64_t oy, std::int64_t ox, std::int64_t columns,
           std::int64_t first, std::int64_t last, float* out, int worker) const;
  std::int64_t slices() const { return conv_.groups * slices_per_group_; }

 private:
  Sum sum_of_taps(std::int64_t row_stride, Carver& carver) const;
  bool inside(std::int64_t oy, std::int64_t ox, std::int64_t columns) const;
  void copy_rows(std::int64_t n, std::int64_t oy, std::int64_t ox, std::int64_t columns,
                 float* patch) const;

  Conv2D conv_;
  const float *x_, *w_, *b_;
  bool relu_, stream_;
  const Micro& micro_;
  std::int64_t slice_;  // filters
  std::int64_t slices_per_group_;
  std::int64_t patch_columns_;  // of the longest piece
  Sum direct_, patched_;        // a offsets into x, into a patch
  float* patches_;              // (workers, KH, patch_columns_, C)
};

// Pieces that output rows of `columns` pixels are cut in: a few tiles long, so that their inputs
// stay in cache while the slices take turns.
std::int64_t forward_pieces(std::int64_t columns);

}  // namespace minicnn
