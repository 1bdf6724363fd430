#include <immintrin.h>

#include "kernels/dropout_body.hpp"

namespace minicnn {
namespace {

struct Words {
  using V = __m512i;
  static constexpr std::size_t kLanes = 8;
  static V broadcast(std::uint32_t x) { return _mm512_set1_epi64(x); }
  // In the order in which the unpacking of keep() makes neighbours of them.
  static V blocks_from(std::uint32_t first) {
    return _mm512_add_epi64(broadcast(first), _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7));
  }
  static V multiply(V a, V b) { return _mm512_mul_epu32(a, b); }
  static V high(V a) { return _mm512_srli_epi64(a, 32); }
  static V exclusive_or(V a, V b, V c) { return _mm512_ternarylogic_epi64(a, b, c, 0x96); }

  static V side_by_side(V low, V high) {
    return _mm512_mask_blend_epi32(0xAAAA, low, _mm512_slli_epi64(high, 32));
  }
  static void keep16(V words, std::uint32_t threshold, float scale, const float* x, float* y) {
    const __mmask16 kept =
        _mm512_cmpge_epu32_mask(_mm512_srli_epi32(words, 8), _mm512_set1_epi32(int(threshold)));
    const __m512 scaled = _mm512_mul_ps(_mm512_loadu_ps(x), _mm512_set1_ps(scale));
    _mm512_storeu_ps(y, _mm512_maskz_mov_ps(kept, scaled));
  }
  template <class State>
  static void keep(const State& c, std::uint32_t threshold, float scale, const float* x, float* y) {
    const V first = side_by_side(c.c0, c.c1), second = side_by_side(c.c2, c.c3);
    keep16(_mm512_unpacklo_epi64(first, second), threshold, scale, x, y);
    keep16(_mm512_unpackhi_epi64(first, second), threshold, scale, x + 16, y + 16);
  }
};

}  // namespace

void dropout_run_avx512(const DropoutRun& run) { run_dropout<Words, 4>(run); }

}  // namespace minicnn
