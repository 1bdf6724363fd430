#include <immintrin.h>

#include "kernels/dropout_body.hpp"

namespace minicnn {
namespace {

struct Words {
  using V = __m256i;
  static constexpr std::size_t kLanes = 4;
  static V broadcast(std::uint32_t x) { return _mm256_set1_epi64x(x); }
  // In the order in which the unpacking of keep() makes neighbours of them.
  static V blocks_from(std::uint32_t first) {
    return _mm256_add_epi64(broadcast(first), _mm256_setr_epi64x(0, 2, 1, 3));
  }
  static V multiply(V a, V b) { return _mm256_mul_epu32(a, b); }
  static V high(V a) { return _mm256_srli_epi64(a, 32); }
  static V exclusive_or(V a, V b, V c) { return _mm256_xor_si256(_mm256_xor_si256(a, b), c); }

  static V side_by_side(V low, V high) {
    return _mm256_blend_epi32(low, _mm256_slli_epi64(high, 32), 0xAA);
  }
  // Both sides of the comparison have at most 25 bits: signed is as good as unsigned.
  static void keep8(V words, std::uint32_t threshold, float scale, const float* x, float* y) {
    const V dropped =
        _mm256_cmpgt_epi32(_mm256_set1_epi32(int(threshold)), _mm256_srli_epi32(words, 8));
    const __m256 scaled = _mm256_mul_ps(_mm256_loadu_ps(x), _mm256_set1_ps(scale));
    _mm256_storeu_ps(y, _mm256_andnot_ps(_mm256_castsi256_ps(dropped), scaled));
  }
  template <class State>
  static void keep(const State& c, std::uint32_t threshold, float scale, const float* x, float* y) {
    const V first = side_by_side(c.c0, c.c1), second = side_by_side(c.c2, c.c3);
    keep8(_mm256_unpacklo_epi64(first, second), threshold, scale, x, y);
    keep8(_mm256_unpackhi_epi64(first, second), threshold, scale, x + 8, y + 8);
  }
};

}  // namespace

void dropout_run_avx2(const DropoutRun& run) { run_dropout<Words, 2>(run); }

}  // namespace minicnn
