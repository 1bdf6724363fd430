#pragma once

#include <cstdint>

#include "core/isa.hpp"

namespace minicnn {

// A stretch of a sum of products: `length` products whose factors lie at regular steps, the first
// ones `a` floats after a tile's a and `b` floats after its b.
struct Segment {
  std::int64_t a, b, length;
};

// A tile of a matrix product, which all convolutions and dense layers are computed from. For rows i
// and columns j:
//   out[i*out_row + j] = bias[j] +
//       sum over segments and k of a[i*a_row + k*a_step] * b[k*b_row + j]
// Every product is added to the same register, in the order of the segments: the bits of an element
// depend on its own sum only, not on the tile that it is computed in.
struct MicroTile {
  const float* a;
  std::int64_t a_row, a_step;
  const float* b;
  std::int64_t b_row;
  const Segment* segments;
  std::int64_t segment_count;
  const float* bias;  // (columns,); null for zeros
  float* out;
  std::int64_t out_row;
  bool add;     // add the sum to `out`, which holds the earlier blocks of the sum
  bool relu;    // then replace negative values by 0; NaN stays NaN
  bool stream;  // bypass the caches; not with `add`; rows of `out` must be whole cache lines
  const std::int64_t* a_rows = nullptr;  // (rows,) or null: offsets that replace i*a_row
};

// The sums over the rows of x (rows, columns), whose rows are `row_stride` floats apart. Each is
// the sum of four partial sums, of every fourth row. They are added to the output or overwrite it.
struct RowSums {
  const float* x;
  std::int64_t row_stride, rows;
  int columns;
  bool add;
};

// The micro-kernels of one instruction set.
struct MicroKernel {
  const char* name;
  Isa needs;
  int rows, columns;  // of the largest tile
  int row_columns;    // the most columns of a tile with a single row
  // Computes a tile with 1 <= rows <= this->rows and 1 <= columns <= this->columns, or
  // this->row_columns if rows is 1. Nothing outside the tile is read or written.
  void (*multiply)(const MicroTile& tile, int rows, int columns);
  // out (columns,)
  void (*sum_rows)(const RowSums& sums, float* out);
};

#define GEMM_MICRO_KERNEL(isa, rows, columns, row_columns)                   \
  void gemm_multiply_##isa(const MicroTile& tile, int row_count, int width); \
  void gemm_sum_rows_##isa(const RowSums& sums, float* out);
#include "kernels/gemm/micros.inc"
#undef GEMM_MICRO_KERNEL

// Returns the fastest micro-kernels that may run on this machine.
const MicroKernel& gemm_micro_kernel();

}  // namespace minicnn
