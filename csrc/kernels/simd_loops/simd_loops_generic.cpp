#include "kernels/simd_loops/simd_loops_body.hpp"
#include "kernels/simd_loops/simd_pooling_body.hpp"

namespace minicnn {
namespace {

constexpr std::size_t kLanes = 4;
using Words = std::uint64_t;

Words product(Words a, Words b) { return (a & 0xFFFFFFFF) * b; }

void random_blocks(const PhiloxBlocks& start, std::int64_t blocks, std::uint32_t* words) {
  random_words<Words>(start, blocks, words, product);
}

void mix_bytes(const SamplePoints& points, const std::uint8_t* x, float scale, float* y) {
  mix_pixels(points, x, scale, y, [](const std::uint8_t* from) {
    return Pixel{float(from[0]), float(from[1]), float(from[2])};
  });
}

}  // namespace

constexpr SimdLoops simd_loops_generic =
    table_of<kLanes>("generic", Isa::generic, random_blocks, mix_bytes);

}  // namespace minicnn
