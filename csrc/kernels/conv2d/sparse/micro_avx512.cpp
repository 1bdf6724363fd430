#include "kernels/conv2d/sparse/micro_body.hpp"
#include "kernels/gemm/vectors_avx512.hpp"

namespace minicnn {
namespace {

// The vectors of gemm/, extended by what lists of sparse terms need.
struct SparseWide : Wide {
  using Int [[gnu::vector_size(64)]] = std::int32_t;
  using Wide::load;
  using Wide::store;
  static V load(const float* p, int lanes) { return load(p, mask(lanes)); }
  static void store(float* p, V v, int lanes) { store(p, v, mask(lanes)); }
  static Int widen(const std::uint8_t* p) {
    return Int(
        _mm512_maskz_cvtepu8_epi32(mask(16), _mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  static Int widen(const std::uint8_t* p, int lanes) {
    return Int(_mm512_maskz_cvtepu8_epi32(mask(16), _mm_maskz_loadu_epi8(mask(lanes), p)));
  }

  // Writes the values that are not zero, and the indices of the same lanes, without gaps; returns
  // how many there are. Whole vectors are written: compressing to memory is slow on Zen.
  static std::int32_t store_nonzero(V values, Int indices, float* to, std::int32_t* indices_to) {
    const __mmask16 kept = _mm512_cmp_ps_mask(values, _mm512_setzero_ps(), _CMP_NEQ_UQ);
    _mm512_storeu_ps(to, _mm512_maskz_compress_ps(kept, values));
    _mm512_storeu_si512(indices_to, _mm512_maskz_compress_epi32(kept, __m512i(indices)));
    return __builtin_popcount(kept);
  }
};

}  // namespace

void sparse_add_avx512(const SparseSums& sums, int rows) { add_any<SparseWide, 28>(sums, rows); }

void sparse_list_by_filter_avx512(const SparseGradient& gradient, const TileWindows& windows,
                                  int filters, const ListWriter& lists, float* total) {
  list_by_filter_any<SparseWide>(gradient, windows, filters, lists, total);
}

void sparse_list_by_cell_avx512(const SparseGradient& gradient, std::int64_t filters,
                                const ListWriter& lists) {
  list_by_cell_any<SparseWide>(gradient, filters, lists);
}

bool sparse_copy_avx512(const PixelCopy& copy) { return copy_any<SparseWide>(copy); }

}  // namespace minicnn
