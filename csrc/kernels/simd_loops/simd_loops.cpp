#include "kernels/simd_loops/simd_loops.hpp"

namespace minicnn {
namespace {

const SimdLoops& fastest() {
  const SimdLoops* all[] = {
#define SIMD_LOOPS(isa) &simd_loops_##isa,
#include "kernels/simd_loops/simd_loops.inc"
#undef SIMD_LOOPS
  };
  for (const SimdLoops* one : all) {
    if (has(one->needs)) return *one;
  }
  return simd_loops_generic;
}

}  // namespace

const SimdLoops& simd_loops() {
  static const SimdLoops& best = fastest();
  return best;
}

}  // namespace minicnn
