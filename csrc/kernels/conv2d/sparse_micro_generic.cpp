#include <cstring>

#include "kernels/conv2d/sparse_micro_body.hpp"

namespace minicnn {
namespace {

// Four floats in the compiler's own vector type: SSE2, NEON or whatever the machine has.
struct Wide {
  using V [[gnu::vector_size(16)]] = float;
  using Int [[gnu::vector_size(16)]] = std::int32_t;
  static constexpr int kLanes = 4;
  static V broadcast(float x) { return V{x, x, x, x}; }
  static V load(const float* p) {
    V v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  static V load(const float* p, int lanes) {
    return V{p[0], lanes > 1 ? p[1] : 0, lanes > 2 ? p[2] : 0, lanes > 3 ? p[3] : 0};
  }
  static void store(float* p, V v) { std::memcpy(p, &v, sizeof v); }
  static void store(float* p, V v, int lanes) {
    for (int i = 0; i < lanes; ++i) p[i] = v[i];
  }
  static Int widen(const std::uint8_t* p) { return Int{p[0], p[1], p[2], p[3]}; }
  static Int widen(const std::uint8_t* p, int lanes) {
    return Int{p[0], lanes > 1 ? p[1] : 0, lanes > 2 ? p[2] : 0, lanes > 3 ? p[3] : 0};
  }
  static V multiply_add(V a, V b, V c) { return a * b + c; }  // two roundings: no contraction

  // The lanes that are not zero, side by side, and the places of the same lanes; how many.
  static std::int32_t store_nonzero(V values, Int places, float* to, std::int32_t* places_to) {
    std::int32_t count = 0;
    for (int i = 0; i < kLanes; ++i) {
      to[count] = values[i];
      places_to[count] = places[i];
      count += values[i] != 0;
    }
    return count;
  }
};

}  // namespace

void sparse_add_generic(const SparseSums& sums, int rows) { add_any<Wide, 12>(sums, rows); }

void sparse_list_by_filter_generic(const SparseGradient& gradient, const TileWindows& windows,
                                   int filters, const ListWriter& lists, float* total) {
  list_by_filter_any<Wide>(gradient, windows, filters, lists, total);
}

void sparse_list_by_cell_generic(const SparseGradient& gradient, std::int64_t filters,
                                 const ListWriter& lists) {
  list_by_cell_any<Wide>(gradient, filters, lists);
}

bool sparse_copy_generic(const PixelCopy& copy) { return copy_any<Wide>(copy); }

}  // namespace minicnn
