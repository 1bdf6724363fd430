#include <immintrin.h>

#include "kernels/simd_loops/simd_loops_body.hpp"
#include "kernels/simd_loops/simd_pooling_body.hpp"

namespace minicnn {
namespace {

constexpr std::size_t kLanes = 16;
using Words [[gnu::vector_size(64)]] = std::uint64_t;

// With a mask of all lanes: for the plain form GCC 12 warns of an uninitialized variable in its
// header.
Words product(Words a, Words b) {
  return Words(_mm512_maskz_mul_epu32(0xFF, __m512i(a), __m512i(b)));
}

void random_blocks(const PhiloxBlocks& start, std::int64_t blocks, std::uint32_t* words) {
  random_words<Words>(start, blocks, words, product);
}

void mix_bytes(const SamplePoints& points, const std::uint8_t* x, float scale, float* y) {
  mix_pixels(points, x, scale, y, [](const std::uint8_t* from) {
    std::int32_t pixels;
    __builtin_memcpy(&pixels, from, sizeof pixels);
    return Pixel(_mm_cvtepi32_ps(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(pixels))));
  });
}

}  // namespace

constexpr SimdLoops simd_loops_avx512 =
    table_of<kLanes>("avx512", Isa::avx512, random_blocks, mix_bytes);

}  // namespace minicnn
