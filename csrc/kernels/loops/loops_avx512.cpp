#include <immintrin.h>

#include "kernels/loops/loops_body.hpp"

namespace minicnn {
namespace {

constexpr std::size_t kLanes = 16;
using Words [[gnu::vector_size(64)]] = std::uint64_t;

// With a mask of all lanes: GCC 12 warns of an uninitialised variable in the plain form's header.
Words product(Words a, Words b) {
  return Words(_mm512_maskz_mul_epu32(0xFF, __m512i(a), __m512i(b)));
}

// A function, not a lambda in the table: that would have external linkage, and the linker could
// keep this one for other instruction sets.
void random_blocks(const PhiloxBlocks& start, std::int64_t blocks, std::uint32_t* words) {
  random_words<Words>(start, blocks, words, product);
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
};

}  // namespace minicnn
