#include "kernels/loops/loops_body.hpp"

namespace minicnn {
namespace {

constexpr std::size_t kLanes = 4;
using Words = std::uint64_t;

Words product(Words a, Words b) { return (a & 0xFFFFFFFF) * b; }

// A function, not a lambda in the table: that would have external linkage, and the linker could
// keep this one for other instruction sets.
void random_blocks(const PhiloxBlocks& start, std::int64_t blocks, std::uint32_t* words) {
  random_words<Words>(start, blocks, words, product);
}

void mix_bytes(const Places& places, const std::uint8_t* x, float scale, float* y) {
  mix_pixels(places, x, scale, y, [](const std::uint8_t* from) {
    return Pixel{float(from[0]), float(from[1]), float(from[2])};
  });
}

}  // namespace

const Loops loops_generic = {
    "generic",
    Isa::generic,
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
