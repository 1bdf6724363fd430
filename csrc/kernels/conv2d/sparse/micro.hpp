#pragma once

#include <cstdint>

#include "core/isa.hpp"

namespace minicnn {

// The micro-kernels of gradients after a max pooling or a ReLU. Most gradients of the convolution's
// outputs are zero there, so the sums list the products of the others.

// The largest height and width of a kernel.
constexpr std::int64_t kMaxSparseCells = 7;

// Lists of the terms of sums. The terms [begins[s], ends[s]) belong to sum s; term i is the product
// of values[i] and what indices[i] points to. indices[ends[s]] is read, too, but not used.
struct TermLists {
  const float* values;
  const std::int32_t *indices, *begins, *ends;
  std::int64_t count;
};

// For sums s, their rows r and columns j:
//   out[targets[s]*out_step + r*out_row + j] +=
//       sum over the terms i of s of values[i] * in[indices[i]*in_step + r*in_row + j]
// Rows of `in` are read to the end of their last vector; the values after the row's end do not
// matter.
struct SparseSums {
  TermLists terms;
  const std::int32_t* targets;
  const float* in;
  std::int64_t in_step, in_row;
  float* out;
  std::int64_t out_step, out_row, columns;
};

// A gradient after a max pooling or a ReLU; filters are contiguous. After a pooling, y is null and
// `argmax` says which cell of a window the gradient belongs to. After a ReLU alone, argmax is null,
// every window is one cell, and y is the ReLU's output, or null if dy is already 0 where the ReLU
// clips.
struct SparseGradient {
  const float *dy, *y;
  const std::uint8_t* argmax;  // ky * 2 + kx; the gradient of a larger value counts as 0
};

// The windows of a tile: the offsets of their gradients in dy, and the indices of their first
// cells. Indices are read to the end of their last vector.
struct TileWindows {
  const std::int64_t* gradients;
  const std::int32_t* cells;
  std::int64_t count;
  std::int32_t cell_row;  // cells from one row to the next
};

// Where TermLists are written.
struct ListWriter {
  float* values;
  std::int32_t *indices, *begins, *ends;
};

// A copy of `pixels` pixels of `channels` contiguous values. If there is a relu_mask, which has the
// layout of `to` and may be `to` itself, `to` is 0 where the mask is not positive.
struct PixelCopy {
  const float* from;
  std::int64_t from_step;
  float* to;
  std::int64_t to_step;
  std::int64_t pixels, channels;
  const float* relu_mask = nullptr;
};

struct SparseMicroKernel {
  const char* name;
  Isa needs;
  int lanes, sums;  // per vector; accumulator vectors of a sum
  // Requires rows * ceil(columns / lanes) <= sums, and both factors <= kMaxSparseCells.
  void (*add)(const SparseSums& sums, int rows);
  // For each of `filters` <= lanes filters, lists its non-zero gradients; the indices are the
  // cells. List f begins at begins[f], which the caller sets, and has room for windows.count +
  // lanes terms. total (filters,) = the sum of all gradients that belong to a cell.
  void (*list_by_filter)(const SparseGradient& gradient, const TileWindows& windows, int filters,
                         const ListWriter& lists, float* total);
  // For each of the four cells of one window, lists the non-zero gradients; the indices are the
  // filters. The lists follow each other; the first begins at begins[0], which the caller sets. Up
  // to `lanes` values after the last list may be written.
  void (*list_by_cell)(const SparseGradient& gradient, std::int64_t filters,
                       const ListWriter& lists);
  // Returns whether everything that was read from `from` is finite.
  bool (*copy)(const PixelCopy& copy);
};

#define SPARSE_MICRO_KERNEL(isa, lane_count, sum_count)                                        \
  void sparse_add_##isa(const SparseSums& sums, int rows);                                     \
  void sparse_list_by_filter_##isa(const SparseGradient& gradient, const TileWindows& windows, \
                                   int filters, const ListWriter& lists, float* total);        \
  void sparse_list_by_cell_##isa(const SparseGradient& gradient, std::int64_t filters,         \
                                 const ListWriter& lists);                                     \
  bool sparse_copy_##isa(const PixelCopy& copy);
#include "kernels/conv2d/sparse/micros.inc"
#undef SPARSE_MICRO_KERNEL

// Returns the fastest micro-kernels that may run on this machine.
const SparseMicroKernel& sparse_micro_kernel();

// Computes sums of up to kMaxSparseCells rows, in groups of nearly equal height that fit into
// registers.
void add_sparse(const SparseMicroKernel& micro, const SparseSums& sums, std::int64_t rows);

}  // namespace minicnn
