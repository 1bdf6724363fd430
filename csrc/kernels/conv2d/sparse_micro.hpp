#pragma once

#include <cstdint>

#include "core/isa.hpp"

namespace minicnn {

// What the gradients behind a pool or a ReLU have in common: sums whose products are listed, as
// most gradients by the convolution's outputs are zero.

// The largest kernel side that the sums below have room for.
constexpr std::int64_t kMaxSparseCells = 7;

// Lists of the products of sums. Products [begins[s], ends[s]) belong to sum s: value i and number
// places[i] of something. places[ends[s]] is read, too, but not used.
struct TermLists {
  const float* values;
  const std::int32_t *places, *begins, *ends;
  std::int64_t count;
};

// For sums s, their rows r and columns j:
//   out[targets[s]*out_step + r*out_row + j] +=
//       sum over the products i of s of values[i] * in[places[i]*in_step + r*in_row + j]
// Rows of `in` can be read to the end of their last vector; what is there changes nothing.
struct SparseSums {
  TermLists terms;
  const std::int32_t* targets;
  const float* in;
  std::int64_t in_step, in_row;
  float* out;
  std::int64_t out_step, out_row, columns;
};

// The gradient behind a pool or a ReLU, filters side by side. Behind a pool y is null, and `argmax`
// says where it goes. Without one argmax is null, every window is one cell, and y is the ReLU's
// output, or null where dy has its zeros already.
struct SparseGradient {
  const float *dy, *y;
  const std::uint8_t* argmax;  // ky * 2 + kx; a larger number has no cell, its gradient no term
};

// Windows of a tile: where in dy they begin, and the number of their first cell. Cells are read to
// the end of their last vector.
struct TileWindows {
  const std::int64_t* gradients;
  const std::int32_t* cells;
  std::int64_t count;
  std::int32_t cell_row;  // cells from one row to the next
};

// Where lists are written, see TermLists.
struct ListWriter {
  float* values;
  std::int32_t *places, *begins, *ends;
};

// Numbers of `pixels`, their channels side by side; where there is a gate, which lies as `to` does
// and may be `to` itself, 0 unless the gate is > 0.
struct PixelCopy {
  const float* from;
  std::int64_t from_step;
  float* to;
  std::int64_t to_step;
  std::int64_t pixels, channels;
  const float* gate = nullptr;
};

struct SparseMicro {
  const char* name;
  Isa needs;
  int lanes, sums;  // of a vector; vectors that a sum may have
  // rows * ceil(columns / lanes) <= sums, both factors <= kMaxSparseCells.
  void (*add)(const SparseSums& sums, int rows);
  // For each of `filters` <= lanes filters the list of its winners that are not zero, their places
  // the cells. List f begins at begins[f], given, and has room for windows.count + lanes numbers.
  // total (filters) = the sum of all gradients that have a cell.
  void (*list_by_filter)(const SparseGradient& gradient, const TileWindows& windows, int filters,
                         const ListWriter& lists, float* total);
  // For each of the four cells of one window the list of its winners that are not zero, their
  // places the filters: one list behind the other, the first at begins[0], given. After the last
  // one `lanes` more numbers may be written.
  void (*list_by_cell)(const SparseGradient& gradient, std::int64_t filters,
                       const ListWriter& lists);
  // True if all that was read from `from` is finite.
  bool (*copy)(const PixelCopy& copy);
};

#define SPARSE_MICRO(isa, lane_count, sum_count)                                               \
  void sparse_add_##isa(const SparseSums& sums, int rows);                                     \
  void sparse_list_by_filter_##isa(const SparseGradient& gradient, const TileWindows& windows, \
                                   int filters, const ListWriter& lists, float* total);        \
  void sparse_list_by_cell_##isa(const SparseGradient& gradient, std::int64_t filters,         \
                                 const ListWriter& lists);                                     \
  bool sparse_copy_##isa(const PixelCopy& copy);
#include "kernels/conv2d/sparse_micros.inc"
#undef SPARSE_MICRO

// The fastest one that may run here.
const SparseMicro& sparse_micro();

// Any number of rows up to kMaxSparseCells, in groups of nearly equal height that fit.
void add_sparse(const SparseMicro& micro, const SparseSums& sums, std::int64_t rows);

}  // namespace minicnn
