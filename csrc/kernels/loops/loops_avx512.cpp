#include <immintrin.h>

#include "kernels/loops/loops_body.hpp"

namespace minicnn {
namespace {

constexpr std::size_t kLanes = 16;
using Words [[gnu::vector_size(64)]] = std::uint64_t;

// With a mask of all lanes: GCC 12 warns of an uninitialized variable in the plain form's header.
Words product(Words a, Words b) {
  return Words(_mm512_maskz_mul_epu32(0xFF, __m512i(a), __m512i(b)));
}

// A function, not a lambda in the table: that would have external linkage, and the linker could
// keep this one for other instruction sets.
void random_blocks(const PhiloxBlocks& start, std::int64_t blocks, std::uint32_t* words) {
  random_words<Words>(start, blocks, words, product);
}

void mix_bytes(const Places& places, const std::uint8_t* x, float scale, float* y) {
  mix_pixels(places, x, scale, y, [](const std::uint8_t* from) {
    std::int32_t pixels;
    __builtin_memcpy(&pixels, from, sizeof pixels);
    return Pixel(_mm_cvtepi32_ps(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(pixels))));
  });
}

}  // namespace

const Loops loops_avx512 = {
    "avx512",
    Isa::avx512,
    multiply_taps<kLanes>,
    add_tap_products<kLanes>,
    moments<kLanes>,
    gradient_sums<kLanes>,
    random_blocks,
    drop,
    max_of_cells<kLanes>,
    add_winners<kLanes>,
    mix_bytes,
    mix_floats,
};

}  // namespace minicnn
