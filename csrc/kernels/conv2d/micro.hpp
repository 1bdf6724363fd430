#pragma once

#include <cstdint>

#include "core/isa.hpp"

namespace minicnn {

// A stretch of a sum: `length` products, their factors found from a tile's a + `a` and b + `b`.
struct Run {
  std::int64_t a, b, length;
};

// The one thing that all convolution and dense kernels compute, for rows i and columns j:
//   out[i*out_row + j] = bias[j] + sum over runs and k of a[i*a_row + k*a_step] * b[k*b_row + j]
// Every product is added to the same register in the order of the runs: an element's bits depend
// on its own sum only, not on the tile that it is computed in.
struct Tile {
  const float* a;
  std::int64_t a_row, a_step;
  const float* b;
  std::int64_t b_row;
  const Run* runs;
  std::int64_t run_count;
  const float* bias;  // one number a column; null for zeros
  float* out;
  std::int64_t out_row;
  bool add;     // the sum is added to `out`, which then holds earlier parts of it
  bool relu;    // what is negative then becomes 0; NaN stays
  bool stream;  // not with `add`: past the caches; rows of `out` begin and end on cache lines
  const std::int64_t* a_rows = nullptr;  // (rows,), if not null: in place of i*a_row
};

// Sums over the rows of x (rows, columns), `row_stride` floats apart, each of at most a quarter of
// the rows and three more; added to `out`, or written there.
struct RowSums {
  const float* x;
  std::int64_t row_stride, rows;
  int columns;
  bool add;
};

// The argmax of a window whose gradient a ReLU clips; no cell has this number.
constexpr int kNobody = 255;

// Pooling windows side by side, `step` floats apart, that see the same cells; each cell holds
// `channels` numbers. Cells outside the image are left out.
struct PoolWindows {
  std::int64_t count, step;
  std::int64_t rows, columns, row_stride, channels;
  int first_argmax, argmax_row;  // the first cell's number, and a row's cells in the whole window
};

struct Micro {
  const char* name;
  Isa needs;
  int rows, columns;  // of the largest tile
  int row_columns;    // of the longest tile of one row
  // 1 <= rows <= this->rows, 1 <= columns <= this->columns, or row_columns if rows is 1; nothing
  // else is read or written.
  void (*run)(const Tile& tile, int rows, int columns);
  // out (columns,)
  void (*sum_rows)(const RowSums& sums, float* out);
  // y and argmax (count, channels) from the cells at `first`; relu applies to each cell, and where
  // it leaves nothing > 0 the argmax is kNobody.
  void (*max_pool)(const PoolWindows& windows, const float* first, bool relu, float* y,
                   std::uint8_t* argmax);
  // The cells at `first` = dy where they won, else 0; dy and argmax (count, channels).
  void (*unpool)(const PoolWindows& windows, const float* dy, const std::uint8_t* argmax,
                 float* first);
};

#define CONV2D_MICRO(isa, rows, columns, row_columns)                                             \
  void conv2d_micro_##isa(const Tile& tile, int row_count, int width);                            \
  void conv2d_sum_rows_##isa(const RowSums& sums, float* out);                                    \
  void conv2d_max_pool_##isa(const PoolWindows& windows, const float* first, bool relu, float* y, \
                             std::uint8_t* argmax);                                               \
  void conv2d_unpool_##isa(const PoolWindows& windows, const float* dy,                           \
                           const std::uint8_t* argmax, float* first);
#include "kernels/conv2d/micros.inc"
#undef CONV2D_MICRO

// The fastest one that may run here.
const Micro& conv2d_micro();

}  // namespace minicnn
