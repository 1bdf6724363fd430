#include "kernels/conv2d/sparse/micro_body.hpp"
#include "kernels/gemm/vectors_generic.hpp"

namespace minicnn {
namespace {

// The vectors of gemm/, extended by what lists of sparse terms need.
struct SparseWide : Wide {
  using Int [[gnu::vector_size(16)]] = std::int32_t;
  static Int widen(const std::uint8_t* p) { return Int{p[0], p[1], p[2], p[3]}; }
  static Int widen(const std::uint8_t* p, int lanes) {
    return Int{p[0], lanes > 1 ? p[1] : 0, lanes > 2 ? p[2] : 0, lanes > 3 ? p[3] : 0};
  }

  // Writes the values that are not zero, and the indices of the same lanes, without gaps; returns
  // how many there are.
  static std::int32_t store_nonzero(V values, Int indices, float* to, std::int32_t* indices_to) {
    std::int32_t count = 0;
    for (int i = 0; i < kLanes; ++i) {
      to[count] = values[i];
      indices_to[count] = indices[i];
      count += values[i] != 0;
    }
    return count;
  }
};

}  // namespace

void sparse_add_generic(const SparseSums& sums, int rows) { add_any<SparseWide, 12>(sums, rows); }

void sparse_list_by_filter_generic(const SparseGradient& gradient, const TileWindows& windows,
                                   int filters, const ListWriter& lists, float* total) {
  list_by_filter_any<SparseWide>(gradient, windows, filters, lists, total);
}

void sparse_list_by_cell_generic(const SparseGradient& gradient, std::int64_t filters,
                                 const ListWriter& lists) {
  list_by_cell_any<SparseWide>(gradient, filters, lists);
}

bool sparse_copy_generic(const PixelCopy& copy) { return copy_any<SparseWide>(copy); }

}  // namespace minicnn
