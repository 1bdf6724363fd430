#include <immintrin.h>

#include "kernels/conv2d/sparse_micro_body.hpp"

namespace minicnn {
namespace {

struct Wide {
  using V = __m512;
  using Int [[gnu::vector_size(64)]] = std::int32_t;
  static constexpr int kLanes = 16;
  static __mmask16 mask(int lanes) { return __mmask16((1U << lanes) - 1); }
  static V broadcast(float x) { return _mm512_set1_ps(x); }
  static V load(const float* p) { return _mm512_loadu_ps(p); }
  static V load(const float* p, int lanes) { return _mm512_maskz_loadu_ps(mask(lanes), p); }
  static void store(float* p, V v) { _mm512_storeu_ps(p, v); }
  static void store(float* p, V v, int lanes) { _mm512_mask_storeu_ps(p, mask(lanes), v); }
  static Int widen(const std::uint8_t* p) {
    return Int(
        _mm512_maskz_cvtepu8_epi32(mask(16), _mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  static Int widen(const std::uint8_t* p, int lanes) {
    return Int(_mm512_maskz_cvtepu8_epi32(mask(16), _mm_maskz_loadu_epi8(mask(lanes), p)));
  }
  static V multiply_add(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }

  // The lanes that are not zero, side by side, and the places of the same lanes; how many. Whole
  // vectors are written: compressing to memory is slow on Zen.
  static std::int32_t store_nonzero(V values, Int places, float* to, std::int32_t* places_to) {
    const __mmask16 kept = _mm512_cmp_ps_mask(values, _mm512_setzero_ps(), _CMP_NEQ_UQ);
    _mm512_storeu_ps(to, _mm512_maskz_compress_ps(kept, values));
    _mm512_storeu_si512(places_to, _mm512_maskz_compress_epi32(kept, __m512i(places)));
    return __builtin_popcount(kept);
  }
};

}  // namespace

void sparse_add_avx512(const SparseSums& sums, int rows) { add_any<Wide, 28>(sums, rows); }

void sparse_list_by_filter_avx512(const SparseGradient& gradient, const TileWindows& windows,
                                  int filters, const ListWriter& lists, float* total) {
  list_by_filter_any<Wide>(gradient, windows, filters, lists, total);
}

void sparse_list_by_cell_avx512(const SparseGradient& gradient, std::int64_t filters,
                                const ListWriter& lists) {
  list_by_cell_any<Wide>(gradient, filters, lists);
}

bool sparse_copy_avx512(const PixelCopy& copy) { return copy_any<Wide>(copy); }

}  // namespace minicnn
