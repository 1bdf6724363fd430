#include "kernels/conv2d/sparse/micro_body.hpp"
#include "kernels/gemm/vectors_avx2.hpp"

namespace minicnn {
namespace {

// For every set of lanes, as bits, the indices of its lanes in ascending order.
struct KeptLanes {
  std::uint8_t lanes[256][8];
};

constexpr KeptLanes kept_lanes() {
  KeptLanes kept{};
  for (int set = 0; set < 256; ++set) {
    int count = 0;
    for (int lane = 0; lane < 8; ++lane) {
      if ((set >> lane & 1) != 0) kept.lanes[set][count++] = std::uint8_t(lane);
    }
  }
  return kept;
}

constexpr KeptLanes kKept = kept_lanes();

// The vectors of gemm/, extended by what lists of sparse terms need.
struct SparseWide : Wide {
  using Int [[gnu::vector_size(32)]] = std::int32_t;
  using Wide::load;
  using Wide::store;
  static V load(const float* p, int lanes) { return load(p, mask(lanes)); }
  static void store(float* p, V v, int lanes) { store(p, v, mask(lanes)); }
  static Int widen(const std::uint8_t* p) {
    return Int(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  }
  static Int widen(const std::uint8_t* p, int lanes) {
    std::uint8_t bytes[kLanes] = {};
    __builtin_memcpy(bytes, p, std::size_t(lanes));
    return widen(bytes);
  }

  // Writes the values that are not zero, and the indices of the same lanes, without gaps; returns
  // how many there are.
  static std::int32_t store_nonzero(V values, Int indices, float* to, std::int32_t* indices_to) {
    const int kept = _mm256_movemask_ps(_mm256_cmp_ps(values, _mm256_setzero_ps(), _CMP_NEQ_UQ));
    const __m256i lanes =
        _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(kKept.lanes[kept])));
    _mm256_storeu_ps(to, _mm256_permutevar8x32_ps(values, lanes));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(indices_to),
                        _mm256_permutevar8x32_epi32(__m256i(indices), lanes));
    return __builtin_popcount(unsigned(kept));
  }
};

}  // namespace

void sparse_add_avx2(const SparseSums& sums, int rows) { add_any<SparseWide, 15>(sums, rows); }

void sparse_list_by_filter_avx2(const SparseGradient& gradient, const TileWindows& windows,
                                int filters, const ListWriter& lists, float* total) {
  list_by_filter_any<SparseWide>(gradient, windows, filters, lists, total);
}

void sparse_list_by_cell_avx2(const SparseGradient& gradient, std::int64_t filters,
                              const ListWriter& lists) {
  list_by_cell_any<SparseWide>(gradient, filters, lists);
}

bool sparse_copy_avx2(const PixelCopy& copy) { return copy_any<SparseWide>(copy); }

}  // namespace minicnn
