#include <immintrin.h>

#include "kernels/conv2d/sparse_micro_body.hpp"

namespace minicnn {
namespace {

// Loading the lanes' mask from here at kLaneMasks + 8 - lanes sets the first `lanes`.
constexpr int kLaneMasks[16] = {-1, -1, -1, -1, -1, -1, -1, -1};

// For every set of lanes their numbers, lowest first.
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

struct Wide {
  using V = __m256;
  using Int [[gnu::vector_size(32)]] = std::int32_t;
  static constexpr int kLanes = 8;
  static __m256i mask(int lanes) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kLaneMasks + 8 - lanes));
  }
  static V broadcast(float x) { return _mm256_set1_ps(x); }
  static V load(const float* p) { return _mm256_loadu_ps(p); }
  static V load(const float* p, int lanes) { return _mm256_maskload_ps(p, mask(lanes)); }
  static void store(float* p, V v) { _mm256_storeu_ps(p, v); }
  static void store(float* p, V v, int lanes) { _mm256_maskstore_ps(p, mask(lanes), v); }
  static Int widen(const std::uint8_t* p) {
    return Int(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  }
  static Int widen(const std::uint8_t* p, int lanes) {
    std::uint8_t bytes[kLanes] = {};
    __builtin_memcpy(bytes, p, std::size_t(lanes));
    return widen(bytes);
  }
  static V multiply_add(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }

  // The lanes that are not zero, side by side, and the places of the same lanes; how many.
  static std::int32_t store_nonzero(V values, Int places, float* to, std::int32_t* places_to) {
    const int kept = _mm256_movemask_ps(_mm256_cmp_ps(values, _mm256_setzero_ps(), _CMP_NEQ_UQ));
    const __m256i lanes =
        _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(kKept.lanes[kept])));
    _mm256_storeu_ps(to, _mm256_permutevar8x32_ps(values, lanes));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(places_to),
                        _mm256_permutevar8x32_epi32(__m256i(places), lanes));
    return __builtin_popcount(unsigned(kept));
  }
};

}  // namespace

void sparse_add_avx2(const SparseSums& sums, int rows) { add_any<Wide, 15>(sums, rows); }

void sparse_list_by_filter_avx2(const SparseGradient& gradient, const TileWindows& windows,
                                int filters, const ListWriter& lists, float* total) {
  list_by_filter_any<Wide>(gradient, windows, filters, lists, total);
}

void sparse_list_by_cell_avx2(const SparseGradient& gradient, std::int64_t filters,
                              const ListWriter& lists) {
  list_by_cell_any<Wide>(gradient, filters, lists);
}

bool sparse_copy_avx2(const PixelCopy& copy) { return copy_any<Wide>(copy); }

}  // namespace minicnn
